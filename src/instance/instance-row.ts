import { hostname } from 'node:os';
import { VERSION } from '../lib/version.js';
import { ask } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import type { Reading } from './series.js';

/** Milliseconds that one statement may take. */
const ANSWER_TIMEOUT = 4000;

/** Writes and deletes the row of `djr.instance` by which an instance reports itself. */
export class InstanceRow {
  /** Whether the database has consumers. If it has none, nothing more is asked about them. */
  hasConsumers = false;
  readonly #pool: Pool;
  readonly #instance: string;
  readonly #since = performance.now();

  constructor(pool: Pool, instance: string) {
    this.#pool = pool;
    this.#instance = instance;
  }

  /** Asks how full the NOTIFY queue is, 0 to 1. The answer proves that the database can be reached. */
  async queueUsage(): Promise<number> {
    const query = {
      text: `select pg_catalog.pg_notification_queue_usage()::pg_catalog.numeric as usage,
                    exists (select from djr._consumer) as consumers`,
    };
    const { rows } = await ask<{ usage: number; consumers: boolean }>(this.#pool, query, ANSWER_TIMEOUT);
    this.hasConsumers = rows[0]!.consumers;
    return rows[0]!.usage;
  }

  async write({ connections, events, deliveries, errors, lagMs }: Reading): Promise<void> {
    const query = {
      text: "select djr.report_instance($1, $2 operator(pg_catalog.*) interval '1 second', $3, $4, $5, $6, $7, $8, $9)",
      values: [
        this.#instance,
        (performance.now() - this.#since) / 1000,
        connections,
        events,
        deliveries,
        errors,
        lagMs,
        `${hostname()} ${process.pid}`,
        VERSION,
      ],
    };
    await ask(this.#pool, query, ANSWER_TIMEOUT);
  }

  async remove(): Promise<void> {
    const query = { text: 'select djr.forget_instance($1)', values: [this.#instance] };
    await ask(this.#pool, query, ANSWER_TIMEOUT);
  }
}
