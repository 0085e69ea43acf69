import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import { Periodic } from '../lib/periodic.js';
import { sleep } from '../lib/sleep.js';
import { asking } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import { select } from '../postgres/select.js';

export interface PrunerOptions {
  pool: Pool;
  logger: Logger;
  /** Milliseconds between two rounds, give or take a quarter, so that instances do not all come at once. */
  interval: number;
}

/**
 * Events in one transaction; and after each the pruner rests for so many times as long as it took. A million expired events then do not
 * slow 2,000 publishes a second down (bench/README.md, scenario `retention`).
 */
const BATCH = 1000;
const REST = 2;

/** After so many rounds in a row without a turn it is logged. The batch of another instance is over within one round. */
const ROUNDS_WITHOUT = 5;

/** Sessions that hold the row of djr.settings or wait for it. The catalogs do not say which session has locked a row. */
const HOLDERS = `
  select pg_catalog.format('session %s (role %I)', activity.pid, activity.usename) as holder
  from pg_catalog.pg_locks lock
  join pg_catalog.pg_stat_activity activity on activity.pid operator(pg_catalog.=) lock.pid
  where lock.relation operator(pg_catalog.=) 'djr.settings'::pg_catalog.regclass
    and lock.mode operator(pg_catalog.<>) 'AccessShareLock'
    and lock.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
  order by activity.xact_start
  limit 1`;

/** Deletes events that are past the setting `retention`; does nothing if none is set. */
export class Pruner {
  readonly #options: PrunerOptions;
  readonly #rounds: Periodic;
  #withoutTurn = 0;
  /** How many events this instance has deleted. */
  pruned = 0;

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#rounds = new Periodic({
      period: () => options.interval * (0.75 + Math.random() / 2),
      round: (stopping) => this.#round(stopping),
    });
  }

  start(): void {
    this.#rounds.start();
  }

  async #round(stopping: AbortSignal): Promise<void> {
    const { logger, pool } = this.#options;
    let total = 0;
    try {
      for (let pruned = BATCH; pruned === BATCH && !stopping.aborted; total += pruned) {
        const began = performance.now();
        const { rows } = await asking(pool).query<{ pruned: number | null }>(
          'select djr._prune_turn($1::pg_catalog.int4) as pruned',
          [BATCH],
        );
        await this.#count(rows[0]!.pruned !== null);
        pruned = rows[0]!.pruned ?? 0;
        if (pruned === BATCH) await sleep((performance.now() - began) * REST, stopping);
      }
    } catch (err) {
      logger.warn({ err }, 'pruning failed; will try again');
    }
    this.pruned += total;
    if (total > 0) logger.info({ events: total }, 'pruned events past the retention');
  }

  /** Only one instance prunes at a time. If this one never gets its turn, some session holds the lock, which is logged. */
  async #count(hadTurn: boolean): Promise<void> {
    this.#withoutTurn = hadTurn ? 0 : this.#withoutTurn + 1;
    if (this.#withoutTurn !== ROUNDS_WITHOUT) return;
    const rows = await select<{ holder: string }>(this.#options.pool, HOLDERS);
    const holder = rows[0]?.holder ?? 'another session';
    this.#options.logger.warn(
      { rounds: ROUNDS_WITHOUT },
      `pruning does not get its turn: ${holder} holds the row of djr.settings in a transaction that does not end`,
    );
  }

  metrics(meter: Meter): void {
    meter.counter('djr_pruned_total', 'Events that this instance deleted as past the retention', () => this.pruned);
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }
}
