import { heartbeatFrame, type Pulse } from '../event/frame.js';
import type { Client } from './client.js';

export interface KeeperOptions {
  /** Milliseconds of silence after which a client gets a heartbeat. */
  heartbeat: number;
  /** Milliseconds after which a client is closed that reads none of the bytes that wait for it. */
  writeTimeout: number;
  /** The current position of the stream. Heartbeats carry it, so that the last id of a quiet client does not grow old. */
  position(): string;
}

/** Clients that are checked in one turn. Each heartbeat is a system call, and no event must wait for fifty thousand of them. */
const SLICE = 500;

/** The heartbeat frames of a turn, each made once. */
type Heartbeats = { [kind in Pulse | `resuming ${Pulse}`]?: Buffer };

/** Checks all clients with one timer: sends heartbeats to quiet ones, and closes those that do not read or whose lifetime is over. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #clients: Iterable<Client>;
  #timer: NodeJS.Timeout | undefined;
  /** The immediate that goes on with the current round; undefined: no round is under way. */
  #round: NodeJS.Immediate | undefined;
  /** `performance.now()` of the last tick. */
  #ticked = 0;
  /** Milliseconds since the last round began for which this process itself stalled. */
  #heldUp = 0;

  constructor(options: KeeperOptions, clients: Iterable<Client>) {
    this.#options = options;
    this.#clients = clients;
  }

  start(): void {
    if (this.#timer) return;
    const interval = Math.min(this.#options.heartbeat, this.#options.writeTimeout) / 4;
    this.#ticked = performance.now();
    this.#heldUp = 0;
    this.#timer = setInterval(() => this.#tick(interval), interval);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#round);
    this.#timer = undefined;
    this.#round = undefined;
  }

  #tick(interval: number): void {
    const now = performance.now();
    // If this process itself stalled, clients are not blamed for that time: a tick counts for its interval only.
    this.#heldUp += Math.max(0, now - this.#ticked - interval);
    this.#ticked = now;
    // The last round is still under way; it is completed first.
    if (this.#round) return;
    const heldUp = this.#heldUp;
    this.#heldUp = 0;
    this.#look(this.#clients[Symbol.iterator](), now, heldUp);
  }

  /**
   * Checks the next clients of a round, and leaves the others to a later turn.
   *
   * @param now - when the round began: all of it goes by this time, as the process may stall between two turns, and the next tick counts that
   */
  #look(clients: Iterator<Client>, now: number, heldUp: number): void {
    this.#round = undefined;
    const heartbeats: Heartbeats = {};
    for (let left = SLICE; left > 0; left -= 1) {
      const { done, value: client } = clients.next();
      if (done) return;
      const { stalledSince } = client;
      if (stalledSince !== undefined && stalledSince < now) client.stalledSince = Math.min(now, stalledSince + heldUp);
      if (client.stalledFor(now) > this.#options.writeTimeout) client.close('stalled');
      else if (now > client.expires) client.close('lifetime');
      else if (now - client.lastWrite >= this.#options.heartbeat) this.#beat(client, now, heartbeats);
    }
    // The last client may have left just now, and then the timer was stopped.
    if (this.#timer) this.#round = setImmediate(() => this.#look(clients, now, heldUp));
  }

  #beat(client: Client, now: number, heartbeats: Heartbeats): void {
    // The position says that everything before it was sent. That is not true for a client that still resumes, or has events waiting for a
    // hook, so its heartbeat carries none.
    const caughtUp = client.live && !client.hooksPending;
    const kind = caughtUp ? client.pulse : (`resuming ${client.pulse}` as const);
    heartbeats[kind] ??= heartbeatFrame(caughtUp ? this.#options.position() : undefined, client.pulse);
    client.write(heartbeats[kind], now);
  }
}
