import type pg from 'pg';
import { backoff } from '../lib/backoff.js';
import type { Logger } from '../lib/logger.js';
import type { OnceLogger } from '../lib/once-logger.js';
import { sleep } from '../lib/sleep.js';
import { asking } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import { databaseLog } from '../postgres/database-log.js';
import { TYPES } from '../postgres/types.js';

export interface RepairOptions {
  pool: Pool;
  logger: Logger;
}

/** Milliseconds that it may take, as it writes every row that a dump brought. */
const ANSWER_TIMEOUT = 600_000;

/**
 * Repairs events that a dump from another cluster brought. Their transaction ids lie in the future here, so every sweep and every resume
 * would take them for new; `djr.repair_xids` moves them into the past.
 */
export class Repair {
  readonly #options: RepairOptions;
  readonly #onceLog: OnceLogger;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#onceLog = databaseLog(options.logger);
  }

  /** Repairs at once. @throws the database's error; nothing is changed then */
  async run(client: Pick<pg.Client, 'query'>): Promise<void> {
    const query = { text: 'select djr.repair_xids() as events', types: TYPES, query_timeout: ANSWER_TIMEOUT };
    const { rows } = await client.query<{ events: number }>(query);
    const { events } = rows[0]!;
    if (events === 0) return;
    this.#options.logger.warn(
      { events },
      'events of another cluster are in the table, as after a restore: not delivered',
    );
  }

  /** Repairs in the background, one repair at a time. Until it has ended, sweeps skip those events. */
  start(): void {
    this.#running ??= this.#once().finally(() => {
      this.#running = undefined;
    });
  }

  async #once(): Promise<void> {
    try {
      await this.run(asking(this.#options.pool, ANSWER_TIMEOUT));
      this.#failures = 0;
      this.#onceLog.end('the transaction ids that a restore brought are repaired');
    } catch (err) {
      this.#failures += 1;
      this.#onceLog.say('error', { err }, 'cannot repair the transaction ids that a restore brought; will try again');
      await sleep(backoff(this.#failures), this.#stop.signal);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}
