import type { Frontier } from '../event/frontier.js';
import type { Logger } from '../lib/logger.js';
import type { Log } from './log.js';
import { isBefore, newestCheckpoint, type Placed, type Reader } from './reader.js';
import type { Standing } from './standing.js';
import type { Subjects } from './subjects.js';
import { TooFarError, type Way } from './way.js';

export interface PursuitOptions {
  log: Log;
  subjects: Subjects;
  logger: Logger;
  reader: Reader;
  standing: Standing;
  way: Way;
  isStopped(): boolean;
  /** Something may be missing that the log has no more: the stream begins anew. */
  onGap(reason: string): void;
  /** The database was replaced or restored: the stream begins anew. */
  onReplaced(): void;
}

/** Brings a reader to where the log is: after a silence, a break of the chain, or a start. */
export class Pursuit {
  /** Times that the chain of checkpoints was another one. */
  breaks = 0;
  /** Messages are read again, up to where the log was when that began. */
  isReplaying = false;
  readonly #options: PursuitOptions;

  constructor(options: PursuitOptions) {
    this.#options = options;
  }

  /** Compares what was heard with what the engine has. */
  async look(): Promise<void> {
    const { log, reader, standing, subjects, way } = this.#options;
    const { at } = standing;
    const newest = await reader.newest();
    if (!newest) return;
    if (!at) {
      await this.attach(newest);
      return;
    }
    const { sequence, generation, said } = newest;
    // Nothing was missed; or this server is behind.
    if (generation === at.generation && sequence <= at.sequence && said.term === at.said.term) return;
    if (generation === at.generation && sequence > standing.last) {
      await way.reach(newest);
      return;
    }
    // A server that lags behind shows an older checkpoint, which is on the way to the one that is known.
    const placed = await newestCheckpoint(log, subjects, true);
    if (!placed) return;
    const same = placed.generation === at.generation && placed.said.term === at.said.term;
    if (same && placed.sequence <= at.sequence) return;
    await this.attach(placed);
  }

  /** Nothing is known of what came before. */
  begin(reason: string): void {
    const { logger, onGap, standing } = this.#options;
    logger.warn({ reason }, 'the stream begins anew: its clients come back with what they have');
    standing.forget();
    onGap(reason);
  }

  /** Goes on in the log as it is now, from where all is known; or begins with it. */
  async attach(given?: Placed): Promise<void> {
    const { onReplaced, reader, standing } = this.#options;
    const newest = given ?? (await reader.newest());
    if (!newest) return;
    if (standing.at) {
      this.breaks += 1;
      reader.known.clear();
    }
    const { frontier } = standing;
    if (frontier && frontier.epoch !== newest.said.frontier.epoch) {
      onReplaced();
      standing.forget();
    } else if (frontier) {
      const reason = await this.#goOn(newest, frontier);
      if (reason === undefined) return;
      this.begin(reason);
    }
    await this.#replay(newest, undefined, undefined);
  }

  /** Reads what is new since the stream's frontier. @returns why that cannot be done; undefined: it was */
  async #goOn(newest: Placed, frontier: Frontier): Promise<string | undefined> {
    const way = await this.#options.reader.back(newest, (placed) => isBefore(placed, frontier));
    if (!way) return 'the log does not reach back to where the stream was';
    try {
      await this.#replay(newest, way[0] ?? newest, frontier);
      return undefined;
    } catch (error) {
      if (error instanceof TooFarError) return error.message;
      throw error;
    }
  }

  async #replay(to: Placed, from: Placed | undefined, had: Frontier | undefined): Promise<void> {
    const { isStopped, standing, way } = this.#options;
    this.isReplaying = true;
    try {
      await way.replay(to, from, had);
    } finally {
      this.isReplaying = false;
    }
    if (isStopped()) return;
    standing.heardAt = performance.now();
    standing.told();
  }
}
