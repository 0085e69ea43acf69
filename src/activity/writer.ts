import { codeOf } from '../lib/error-code.js';
import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import { OnceLogger } from '../lib/once-logger.js';
import { Periodic } from '../lib/periodic.js';
import { sleep } from '../lib/sleep.js';
import { isOfOneRow } from '../postgres/poison.js';
import type { ActivityCounter, Step } from './counter.js';

export interface ActivityWriterOptions {
  counter: ActivityCounter;
  logger: Logger;
  /** Takes at most {@link BATCH} steps a call. */
  source: { record(steps: readonly Step[]): Promise<number> };
}

/** Milliseconds between two batches; what happens to one event in between is one row. */
const PERIOD = 500;

/** Rows of one INSERT: some 4 ms of the database's time. */
export const BATCH = 1000;

/** Times that one batch is tried, and the longest wait in between: a restart of PostgreSQL loses nothing. */
const ATTEMPTS = 8;
const LONGEST_WAIT = 5000;

/** Errors that would come again: no right to record, no such function, values that do not fit. */
const isFinal = (error: unknown): boolean => /^(22|23|42)...$/.test(codeOf(error) ?? '');

/** Writes what the counter has into `djr.activity`, in batches and one at a time: delivery never waits for it. */
export class ActivityWriter {
  /** Rows written. */
  rows = 0;
  readonly #options: ActivityWriterOptions;
  readonly #onceLog: OnceLogger;
  readonly #rounds: Periodic;
  readonly #stopping = new AbortController();
  /** Steps that the database did not take. */
  #failed = 0;
  #losing = false;

  constructor(options: ActivityWriterOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#rounds = new Periodic({ period: PERIOD, round: () => this.#drain() });
  }

  /** Steps that were not recorded: there was no place for them, or the database did not take them. */
  get dropped(): number {
    return this.#failed + this.#options.counter.dropped;
  }

  start(): void {
    this.#rounds.start();
  }

  metrics(meter: Meter): void {
    meter.counter('djr_activity_rows_total', 'Rows of activity written', () => this.rows);
    meter.counter(
      'djr_activity_dropped_total',
      'Steps of events that were not recorded: no place, or the database did not take them',
      () => this.dropped,
    );
    meter.gauge('djr_activity_waiting', 'Events whose activity waits to be written', () => this.#options.counter.size);
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
        this.rows += await this.#options.source.record(steps);
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
        if (attempt === ATTEMPTS || this.#stopping.signal.aborted || isFinal(err)) {
          this.#failed += steps.length;
          this.#onceLog.say('warn', { err, dropped: this.dropped }, 'activity could not be recorded and is dropped');
          return;
        }
        this.#onceLog.say('warn', { err }, 'activity could not be recorded; will try again');
      }
      await sleep(Math.min(LONGEST_WAIT, PERIOD * 2 ** attempt), this.#stopping.signal);
    }
  }

  /** Writes what there is, once and without trying again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#rounds.stop();
    await this.#drain(1);
  }
}
