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

/** Milliseconds that it may take: it writes each row that a dump brought. */
const ANSWER_TIMEOUT = 600_000;

/**
 * A dump from another cluster brings transaction ids that lie in the future here: each sweep would take those events for
 * new, and so would each resume. This brings them into the past.
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

  /** @throws what the database says; a statement that it did not finish has changed nothing. */
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

  /** In the background and one at a time: until it has ended sweeps step over those events, and go on. */
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
