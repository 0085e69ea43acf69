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
  /** Records at most {@link BATCH} steps in a call. */
  source: { record(steps: readonly Step[]): Promise<number> };
}

/** Milliseconds between two batches. What happens to one event in between is one row. */
const PERIOD = 500;

/** Rows in one INSERT, which takes the database some 4 ms. */
const BATCH = 1000;

/** How often a batch is tried, and the longest wait between two attempts. Together they outlast a restart of PostgreSQL. */
const ATTEMPTS = 8;
const LONGEST_WAIT = 5000;

/** Errors for which a retry does not help: no right to record, no such function, values that do not fit. */
const isFinal = (error: unknown): boolean => /^(22|23|42)...$/.test(codeOf(error) ?? '');

/** Writes the counts into `djr.activity`, one batch at a time. Delivery never waits for it. */
export class ActivityWriter {
  /** How many rows were written. */
  rows = 0;
  readonly #options: ActivityWriterOptions;
  readonly #onceLog: OnceLogger;
  readonly #rounds: Periodic;
  readonly #stopping = new AbortController();
  /** How many steps the database did not take. */
  #failed = 0;
  #losing = false;

  constructor(options: ActivityWriterOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.#rounds = new Periodic({ period: PERIOD, round: () => this.#drain() });
  }

  /** How many steps were not recorded, for lack of room or because the database did not take them. */
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

  /** @param least - after the first batch, another one is written only if at least so many steps wait */
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
          // If the database refuses one step of a batch, the batch is halved until that one stands alone, so that no other is lost.
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

  /** Writes what there is, and does not try again if that fails. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#rounds.stop();
    await this.#drain(1);
  }
}
