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
 * Events a transaction, and how many times as long as it took the pruner rests after it: a million expired events beside
 * 2,000 publishes a second are not felt (bench/README.md, scenario `retention`).
 */
const BATCH = 1000;
const REST = 2;

/** Rounds in a row without a turn before it is said: another instance's batch is over within one. */
const ROUNDS_WITHOUT = 5;

/** Who has the row of djr.settings, or waits for it: what a row is locked by the catalogs do not say. */
const HOLDERS = `
  select pg_catalog.format('session %s (role %I)', activity.pid, activity.usename) as holder
  from pg_catalog.pg_locks lock
  join pg_catalog.pg_stat_activity activity on activity.pid operator(pg_catalog.=) lock.pid
  where lock.relation operator(pg_catalog.=) 'djr.settings'::pg_catalog.regclass
    and lock.mode operator(pg_catalog.<>) 'AccessShareLock'
    and lock.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()
  order by activity.xact_start
  limit 1`;

/** Deletes what is past the setting `retention`; does nothing where none is set. */
export class Pruner {
  readonly #options: PrunerOptions;
  readonly #rounds: Periodic;
  #withoutTurn = 0;
  /** Events deleted by this instance. */
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

  /** One instance prunes at a time; where none gets its turn somebody holds it. */
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
