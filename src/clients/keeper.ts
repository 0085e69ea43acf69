import { heartbeatFrame, type Pulse } from '../event/frame.js';
import type { Client } from './client.js';

export interface KeeperOptions {
  /** Milliseconds of silence after which a client gets a heartbeat. */
  heartbeat: number;
  /** Milliseconds in which a client with bytes waiting reads none of them, before it is closed. */
  writeTimeout: number;
  /** Where the stream stands: a heartbeat carries it, so that a quiet client's id does not grow old. */
  position(): string;
}

/** Clients that are looked at in one turn: each heartbeat is a system call, and no event is to wait for fifty thousand of them. */
const SLICE = 500;

/** The frames of a turn, each made once. */
type Heartbeats = { [kind in Pulse | `resuming ${Pulse}`]?: Buffer };

/** Looks at all clients with one timer: keeps the quiet ones alive, and closes those that do not read or have lived long enough. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #clients: Iterable<Client>;
  #timer: NodeJS.Timeout | undefined;
  /** The rest of a round. */
  #round: NodeJS.Immediate | undefined;
  /** `performance.now()` of the last look. */
  #ticked = 0;

  constructor(options: KeeperOptions, clients: Iterable<Client>) {
    this.#options = options;
    this.#clients = clients;
  }

  start(): void {
    if (this.#timer) return;
    const interval = Math.min(this.#options.heartbeat, this.#options.writeTimeout) / 4;
    this.#ticked = performance.now();
    this.#timer = setInterval(() => this.#tick(interval), interval);
  }

  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#round);
    this.#timer = undefined;
    this.#round = undefined;
  }

  #tick(interval: number): void {
    // The round before is still under way: its clients are looked at first.
    if (this.#round) return;
    const now = performance.now();
    // While this process itself stalled it has not looked whether clients read: a look counts for its interval only.
    const heldUp = Math.max(0, now - this.#ticked - interval);
    this.#ticked = now;
    this.#look(this.#clients[Symbol.iterator](), heldUp);
  }

  /** Looks at the next clients of a round, and leaves the others to a turn of their own. */
  #look(clients: Iterator<Client>, heldUp: number): void {
    this.#round = undefined;
    const now = performance.now();
    const heartbeats: Heartbeats = {};
    for (let left = SLICE; left > 0; left -= 1) {
      const { done, value: client } = clients.next();
      if (done) return;
      if (client.stalledSince !== undefined) client.stalledSince += heldUp;
      if (client.stalledFor(now) > this.#options.writeTimeout) client.close('stalled');
      else if (now > client.expires) client.close('lifetime');
      else if (now - client.lastWrite >= this.#options.heartbeat) this.#beat(client, now, heartbeats);
    }
    // The last client of all may have left just now, and the timer with it.
    if (this.#timer) this.#round = setImmediate(() => this.#look(clients, heldUp));
  }

  #beat(client: Client, now: number, heartbeats: Heartbeats): void {
    // A client that still resumes, or has events behind a hook, has not got all that the position promises.
    const caughtUp = client.live && !client.hooksPending;
    const kind = caughtUp ? client.pulse : (`resuming ${client.pulse}` as const);
    heartbeats[kind] ??= heartbeatFrame(caughtUp ? this.#options.position() : undefined, client.pulse);
    client.write(heartbeats[kind], now);
  }
}
