import { hostname } from 'node:os';
import type { Logger } from '../lib/logger.js';
import { VERSION } from '../lib/version.js';
import { ask } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import type { Reading } from './series.js';

export interface InstanceReporterOptions {
  pool: Pool;
  logger: Logger;
  /** Which instance says it. */
  instance: string;
  /** Called each time, with how full the NOTIFY queue is (null: not known): what the instance then says of itself. */
  read(queueUsage: number | null): Reading;
}

/** Milliseconds between two of them, and that one of its queries may take. */
const PERIOD = 5000;
const ANSWER_TIMEOUT = 4000;

/**
 * Every few seconds: asks how full the NOTIFY queue is, by which the database proves that it answers, and says in
 * `djr.instance` that this instance is there. Nothing waits for it, and what fails is tried again at the next.
 */
export class InstanceReporter {
  readonly #options: InstanceReporterOptions;
  readonly #since = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #queueUsage: number | undefined;
  #answered: boolean | undefined;
  #reported = false;
  /** Whether the database has consumers; no more is asked of them where it has none. */
  hasConsumers = false;
  /** Times that the instance could not say that it is there. */
  failures = 0;

  constructor(options: InstanceReporterOptions) {
    this.#options = options;
  }

  /** How full the NOTIFY queue was, 0 to 1; undefined where the last question had no answer. */
  get queueUsage(): number | undefined {
    return this.#queueUsage;
  }

  /** Whether the last question had an answer; undefined before the first. */
  get answered(): boolean | undefined {
    return this.#answered;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = setInterval(() => this.#beat(), PERIOD);
    this.#timer.unref();
    this.#beat();
  }

  #beat(): void {
    this.#running ??= this.#once().finally(() => {
      this.#running = undefined;
    });
  }

  async #once(): Promise<void> {
    const { logger, read } = this.#options;
    try {
      this.#queueUsage = await this.#ask();
      this.#answered = true;
    } catch (err) {
      this.#queueUsage = undefined;
      this.#answered = false;
      logger.debug({ err }, 'the database did not say how full the NOTIFY queue is');
    }
    const reading = read(this.#queueUsage ?? null);
    if (!this.#answered || this.#stopped) return;
    try {
      await this.#report(reading);
      this.#reported = true;
    } catch (err) {
      this.failures += 1;
      logger.debug({ err, failures: this.failures }, 'could not say in djr.instance that this instance is there');
    }
  }

  async #ask(): Promise<number> {
    const query = {
      text: `select pg_catalog.pg_notification_queue_usage()::pg_catalog.numeric as usage,
                    exists (select from djr._consumer) as consumers`,
    };
    const { rows } = await ask<{ usage: number; consumers: boolean }>(this.#options.pool, query, ANSWER_TIMEOUT);
    this.hasConsumers = rows[0]!.consumers;
    return rows[0]!.usage;
  }

  async #report({ connections, events, deliveries, errors, lagMs }: Reading): Promise<void> {
    const query = {
      text: "select djr.report_instance($1, $2 operator(pg_catalog.*) interval '1 second', $3, $4, $5, $6, $7, $8, $9)",
      values: [
        this.#options.instance,
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
    await ask(this.#options.pool, query, ANSWER_TIMEOUT);
  }

  /** Takes the instance's row away, where the database answers. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
    if (!this.#reported) return;
    const text = 'select djr.forget_instance($1)';
    const query = { text, values: [this.#options.instance] };
    await ask(this.#options.pool, query, ANSWER_TIMEOUT).catch((err: unknown) => {
      this.#options.logger.debug({ err }, 'could not take this instance out of djr.instance');
    });
  }
}
