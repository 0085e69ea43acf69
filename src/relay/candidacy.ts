import { inTime } from '../lib/deadline.js';
import type { Election } from './ring.js';

/** Milliseconds between two questions whether this source is elected. */
const INTERVAL = 500;

/** Milliseconds that the end of a source waits for PostgreSQL. */
const END = 500;

/** Whether this source is the one that should write: it asks from time to time. */
export class Candidacy {
  #elected = false;
  #asking = false;
  #askedAt = 0;
  readonly #election: Election;

  constructor(election: Election) {
    this.#election = election;
  }

  get isElected(): boolean {
    return this.#elected;
  }

  /** @param now - milliseconds of a clock that never goes back */
  ask(now: number): void {
    if (this.#elected || this.#asking || now - this.#askedAt < INTERVAL) return;
    this.#asking = true;
    this.#askedAt = now;
    this.#election
      .win()
      .then(
        (won) => {
          this.#elected = won;
        },
        () => {},
      )
      .finally(() => {
        this.#asking = false;
      });
  }

  /** Another source writes, so this one gives the election up. */
  step(now: number): void {
    if (!this.#elected) return;
    this.#elected = false;
    this.#askedAt = now + INTERVAL;
    this.#election.yield().catch(() => {});
  }

  /** Lets another source be the one at once. Where PostgreSQL does not answer, it learns by the end of the session. */
  async end(): Promise<void> {
    await inTime(
      this.#election.yield().catch(() => {}),
      END,
    );
  }
}
