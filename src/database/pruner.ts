import type { Logger } from '../logger.js';
import { asking } from './ask.js';
import type { Pool } from './connect.js';

export interface PrunerOptions {
  pool: Pool;
  logger: Logger;
  /** Milliseconds between two rounds, give or take a quarter, so that instances do not all come at once. */
  interval: number;
}

/**
 * Events a transaction, and how many times as long as it took the pruner rests after it: a million expired events beside
 * 2,000 publishes a second are not felt (bench/README.md, scenario `retention`).
 */
const BATCH = 1000;
const REST = 2;

/** Ours alone among advisory locks; held for one batch, so that one instance at a time prunes. */
const LOCK = '7310418275521905';

/** Deletes what is past the setting `retention`; does nothing where none is set. */
export class Pruner {
  readonly #options: PrunerOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** Events deleted by this instance. */
  pruned = 0;

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => {
        this.#running = this.#round().finally(() => this.start());
      },
      this.#options.interval * (0.75 + Math.random() / 2),
    );
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    const { logger, pool } = this.#options;
    let total = 0;
    try {
      for (let pruned = BATCH; pruned === BATCH && !this.#stopped; total += pruned) {
        const began = performance.now();
        const { rows } = await asking(pool).query<{ pruned: string }>(
          'select case when pg_try_advisory_xact_lock($1) then djr.prune_batch(null, $2) else 0 end as pruned',
          [LOCK, BATCH],
        );
        pruned = Number(rows[0]!.pruned);
        if (pruned === BATCH) await this.#rest((performance.now() - began) * REST);
      }
    } catch (err) {
      logger.warn({ err }, 'pruning failed; will try again');
    }
    this.pruned += total;
    if (total > 0) logger.info({ events: total }, 'pruned events past the retention');
  }

  #rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, milliseconds);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#wake?.();
    await this.#running;
  }
}
