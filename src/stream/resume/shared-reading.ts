import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { History } from '../history.js';
import type { Hooks } from '../hooks.js';
import { Backlog, type Need, needOf } from './backlog.js';
import type { StoredEvents } from './source.js';

export interface SharedReadingOptions {
  history: History;
  source: Pick<StoredEvents, 'readRecent'>;
  /** Events from storage pass `onReceive` as well. */
  hooks: Pick<Hooks, 'receive'>;
}

interface Waiting {
  frontier: Frontier;
  audiences: Iterable<Audience>;
  resolve(backlog: Backlog): void;
  reject(reason: unknown): void;
}

/** Milliseconds for which a backlog is kept: when many clients reconnect at once, they do so within some seconds. */
const KEPT = 10_000;

/** Events that `onReceive` handles at the same time. */
const HOOKED = 100;

/** Reads storage once for all clients that wait for it: a thousand clients that reconnect together cost as many statements as one. */
export class SharedReading {
  readonly #options: SharedReadingOptions;
  #held: Backlog | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(options: SharedReadingOptions) {
    this.#options = options;
  }

  /**
   * The backlog of an earlier reading, if it has everything for a client with this frontier, or shows that another shared reading would
   * not reach back that far.
   */
  held(frontier: Frontier, audiences: Iterable<Audience>): Backlog | undefined {
    const backlog = this.#held;
    if (!backlog || !this.#options.history.reaches(backlog.before, audiences)) return undefined;
    return backlog.covers(frontier) || backlog.isBeyond(frontier) ? backlog : undefined;
  }

  /** The backlog of the next reading: it begins now, or when the one that runs has ended. */
  next(frontier: Frontier, audiences: Iterable<Audience>): Promise<Backlog> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frontier, audiences, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      try {
        const backlog = await this.#read(needOf(asked.map(({ frontier }) => frontier)));
        this.#keep(backlog);
        for (const { resolve } of asked) resolve(backlog);
        // Clients that came during the reading may find in it what they lack.
        this.#waiting = this.#waiting.filter(({ audiences, frontier, resolve }) => {
          const held = this.held(frontier, audiences);
          if (held) resolve(held);
          return !held;
        });
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#running = false;
  }

  async #read(need: Need): Promise<Backlog> {
    const { history, hooks, source } = this.#options;
    const before = history.lastSequence;
    const recent = await source.readRecent(need);
    const envelopes: Envelope[] = [];
    for (let i = 0; i < recent.envelopes.length; i += HOOKED) {
      for (const received of await Promise.all(
        recent.envelopes.slice(i, i + HOOKED).map((one) => hooks.receive(one)),
      )) {
        if (received) envelopes.push(received);
      }
    }
    return new Backlog(need, before, recent, envelopes);
  }

  #keep(backlog: Backlog): void {
    this.#held = backlog;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#held = undefined;
    }, KEPT);
    this.#timer.unref();
  }
}
