import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { ask } from '../postgres/ask.js';
import type { Pool } from '../postgres/connect.js';
import { isOfOneRow } from '../postgres/poison.js';
import type { ActivityCounter, Step } from './counter.js';

export interface ActivityOptions {
  pool: Pool;
  logger: Logger;
  counter: ActivityCounter;
  /** Which instance did it. */
  instance: string;
}

/** Milliseconds between two batches; what happens to one event in between is one row. */
const PERIOD = 500;

/** Rows of one INSERT: some 4 ms of the database's time. */
const BATCH = 1000;

/** Milliseconds that one INSERT may take. */
const ANSWER_TIMEOUT = 10_000;

/** Times that one batch is tried, and the longest wait in between: a restart of PostgreSQL loses nothing. */
const ATTEMPTS = 8;
const LONGEST_WAIT = 5000;

/** Errors that would come again: no right to record, no such function, values that do not fit. */
const isFinal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(22|23|42)/.test(error.code);

/** Writes what the counter has into `djr.activity`, in batches and one at a time: delivery never waits for it. */
export class ActivityWriter {
  /** Rows written. */
  rows = 0;
  readonly #options: ActivityOptions;
  readonly #onceLog: OnceLogger;
  /** Steps that the database did not take. */
  #failed = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #losing = false;
  #wake: (() => void) | undefined;

  constructor(options: ActivityOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
  }

  /** Steps that were not recorded: there was no place for them, or the database did not take them. */
  get dropped(): number {
    return this.#failed + this.#options.counter.dropped;
  }

  /** Events whose activity waits. */
  get waiting(): number {
    return this.#options.counter.size;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = setInterval(() => {
      this.#running ??= this.#drain().finally(() => {
        this.#running = undefined;
      });
    }, PERIOD);
    this.#timer.unref();
  }

  /** @param least - how many must wait to be worth a batch after the first. */
  async #drain(least = BATCH): Promise<void> {
    const { logger, counter } = this.#options;
    const { dropped } = counter;
    do {
      const steps = counter.take(BATCH);
      for (let from = 0; from < steps.length; from += BATCH) await this.#write(steps.slice(from, from + BATCH));
    } while (counter.size >= least);
    const losing = counter.dropped > dropped;
    if (losing && !this.#losing) {
      logger.warn({ dropped: this.dropped }, 'activity comes faster than the database takes it: some is dropped');
    }
    this.#losing = losing;
  }

  async #write(steps: Step[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.rows += await this.#insert(steps);
        this.#onceLog.end('activity is recorded again');
        return;
      } catch (err) {
        if (steps.length > 1 && isOfOneRow(err)) {
          // A step that the database cannot take costs no other: halves are tried until it stands alone.
          const half = Math.ceil(steps.length / 2);
          await this.#write(steps.slice(0, half));
          await this.#write(steps.slice(half));
          return;
        }
        if (attempt === ATTEMPTS || this.#stopped || isFinal(err)) {
          this.#failed += steps.length;
          this.#onceLog.say('warn', { err, dropped: this.dropped }, 'activity could not be recorded and is dropped');
          return;
        }
        this.#onceLog.say('warn', { err }, 'activity could not be recorded; will try again');
      }
      await this.#wait(Math.min(LONGEST_WAIT, PERIOD * 2 ** attempt));
    }
  }

  async #insert(steps: Step[]): Promise<number> {
    // Numbers and our own words need no quoting, which takes longer than all the rest.
    const list = (values: unknown[]) => `{${values.join(',')}}`;
    const query = {
      text: 'select djr.record_activity($1, $2, $3, $4, $5) as recorded',
      values: [
        this.#options.instance,
        list(steps.map(({ event }) => event)),
        list(steps.map(({ status }) => status)),
        steps.map(({ userId }) => userId),
        list(steps.map(({ recipients }) => recipients ?? 'null')),
      ],
    };
    const { rows } = await ask<{ recorded: number }>(this.#options.pool, query, ANSWER_TIMEOUT);
    return rows[0]!.recorded;
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Writes what there is, once and without trying again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#wake?.();
    await this.#running;
    await this.#drain(1);
  }
}
