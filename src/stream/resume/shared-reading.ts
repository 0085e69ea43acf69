import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { History } from '../history.js';
import type { Hooks } from '../hooks.js';
import { Backlog, type Need, needOf } from './backlog.js';
import type { StoredEvents } from './source.js';

export interface SharedReadingOptions {
  history: History;
  source: Pick<StoredEvents, 'readRecent'>;
  /** `onReceive` has to see what comes from storage, too. */
  hooks: Pick<Hooks, 'receive'>;
}

interface Waiting {
  frontier: Frontier;
  resolve(backlog: Backlog): void;
  reject(reason: unknown): void;
}

/** Milliseconds for which a backlog is kept: a storm of clients that reconnect lasts some seconds. */
const KEPT = 10_000;

/** Events that `onReceive` has in hand at the same time. */
const HOOKED = 100;

/** Reads storage once for all clients that reconnect meanwhile: a thousand of them cost as many statements as one. */
export class SharedReading {
  readonly #options: SharedReadingOptions;
  #held: Backlog | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(options: SharedReadingOptions) {
    this.#options = options;
  }

  /** What an earlier reading brought, where it says all that there is to say of this frontier. */
  held(frontier: Frontier): Backlog | undefined {
    const backlog = this.#held;
    if (!backlog || !this.#options.history.reaches(backlog.before)) return undefined;
    return backlog.covers(frontier) || backlog.isBeyond(frontier) ? backlog : undefined;
  }

  /** What a reading brings that begins now, or after the one that runs. */
  next(frontier: Frontier): Promise<Backlog> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ frontier, resolve, reject });
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
        // A client that came meanwhile may find here what it lacks.
        this.#waiting = this.#waiting.filter(({ frontier, resolve }) => {
          const held = this.held(frontier);
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
