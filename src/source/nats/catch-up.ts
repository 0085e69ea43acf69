import { inTime } from '../../lib/deadline.js';
import type { Logger } from '../../lib/logger.js';
import { sleep } from '../../lib/sleep.js';
import type { Follower } from '../../relay/follower.js';
import type { Placed } from '../../relay/reader.js';

/** A place in the log, behind which it has all that was visible in the database. */
export interface Flushed {
  readonly generation: string;
  readonly sequence: number;
}

export interface CatchUpOptions {
  follower: Follower;
  logger: Logger;
  /** Asks the source that writes the log to bring all that is visible now into it. @throws when none answers */
  flush(milliseconds: number): Promise<Flushed>;
  isStopped(): boolean;
}

/** Milliseconds that a source may take to bring everything into the log, and the edge to get there. */
const TIMEOUT = 5000;

/** Milliseconds to the next question, where no source answered. */
const RETRY = 500;

/** Brings an edge to where the database is. One question runs, and whoever asks meanwhile shares the next one: each is a sweep of the source. */
export class CatchUp {
  readonly #options: CatchUpOptions;
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  /** Resolves when all that is visible in the database at the time of the call has been delivered, or the edge stops. */
  run(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#ask();
      return this.#running;
    });
    return this.#next;
  }

  async #ask(): Promise<void> {
    const { flush, isStopped, logger } = this.#options;
    while (!isStopped()) {
      try {
        if (await this.#reach(await flush(TIMEOUT))) return;
      } catch (err) {
        logger.debug({ err }, 'no source has brought the log of the relay up to now; asking again');
        await sleep(RETRY);
      }
    }
  }

  /** @returns false when the log is of another generation meanwhile: of that one, nothing is known yet */
  async #reach({ generation, sequence }: Flushed): Promise<boolean> {
    const { follower } = this.#options;
    const isThere = (placed: Placed) => placed.generation === generation && placed.sequence >= sequence;
    const known = follower.at?.generation;
    // The edge may not know of a generation that has just begun.
    if (known !== generation) follower.look();
    const isOther = (placed: Placed) => placed.generation !== generation && placed.generation !== known;
    await inTime(
      follower.until((placed) => isThere(placed) || isOther(placed)),
      TIMEOUT,
    );
    return follower.at !== undefined && isThere(follower.at);
  }
}
