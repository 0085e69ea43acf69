import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import type { Finding } from '../../instance/finding.js';
import { codeOf } from '../../lib/error-code.js';
import { Histogram } from '../../lib/histogram.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';
import type { OnceLogger } from '../../lib/once-logger.js';
import { databaseLog } from '../../postgres/database-log.js';
import { INSUFFICIENT_PRIVILEGE, isOfSchema } from '../../postgres/sqlstate.js';
import type { Feed } from '../../stream/feed.js';
import type { Status } from './status.js';
import type { Store } from './store.js';

export interface SweeperOptions {
  store: Store;
  feed: Feed;
  logger: Logger;
  /**
   * Milliseconds until the next sweep.
   *
   * @param empty - how many sweeps in a row ended without the feed having begun to deliver an event during them; 0 in the mode `notify`
   */
  interval(mode: Status['mode'], empty: number): number;
  /** Whether LISTEN is in force. If a sweep begins then, its end opens the fast lane. */
  listening(): boolean;
  /** A sweep has succeeded. @param since - the frontier from which it read */
  onStatus(status: Status, since: Frontier): void;
  /**
   * PostgreSQL was started anew, or the epoch's generation changed, since the last sweep: transaction ids may have been used a second
   * time. It is called before any event of the sweep is delivered.
   */
  onRestart(status: Status): Promise<void>;
  /** Milliseconds between two sweeps while NOTIFY delivers. Health reports when no sweep has succeeded for several of them. */
  longestInterval: number;
  /** The sweep skipped events with transaction ids of another cluster, which a restore brought. */
  onForeign(): void;
  /** Whether this event was in the history at the restart of PostgreSQL, so that it was delivered before. */
  wasDelivered(envelope: Envelope): boolean;
}

/** Milliseconds by which the clocks of a primary and of the standby that takes over may differ. */
const CLOCK_SKEW = 60_000;

/** After a failed sweep the next one comes within so many milliseconds, as the fast lane is closed until a sweep succeeds. */
const RETRY = 1000;

/** Milliseconds after which a sweep comes that {@link Sweeper.soon} asked for. */
const SOON = 100;

/** A sweep is overdue after so many milliseconds, or so many intervals if that is longer. */
const OVERDUE = 5000;
const OVERDUE_INTERVALS = 5;

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/**
 * Sweeps again and again: each sweep reads the events that are visible now and were not visible at the last one. Sweeps make delivery
 * complete, as NOTIFY alone may miss events.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #onceLog: OnceLogger;
  readonly #seconds = new Histogram(BUCKETS);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #soon = false;
  #stopped = true;
  #startedAt = 0;
  #generation: string | null = null;
  #mode: Status['mode'] = 'notify';
  #failing = false;
  #empty = 0;
  #waiting: (() => void)[] = [];
  /** `performance.now()` at the end of the last sweep that succeeded. */
  lastSuccess = 0;
  /** How many sweeps succeeded. */
  count = 0;
  /** How many sweeps failed. */
  failures = 0;
  /** The error of the last sweep; undefined if it succeeded. */
  failure: unknown;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#onceLog = databaseLog(options.logger);
  }

  /** @param status - the status with whose frontier the caller has called `feed.startAt` */
  start(status: Status): void {
    this.#startedAt = status.startedAt;
    this.#generation = status.generation;
    this.#mode = status.mode;
    this.lastSuccess = performance.now();
    this.#stopped = false;
    this.now();
  }

  /** Whether sweeps must come fast: publishers do not notify, or the feed waits for publishers that did not. It says nothing about LISTEN. */
  get fast(): boolean {
    return this.#mode === 'sweep' || this.#options.feed.settling;
  }

  /** Begins a sweep at once; if one is running, another one follows it. */
  now(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#soon = false;
    this.#running = this.#sweep().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  /**
   * Sweeps within {@link SOON} milliseconds. It is asked for when the fast lane has delivered more events than a frame's id can name:
   * a client that reconnects to another instance would get the others again. It may be called for every event, so most calls do nothing.
   */
  soon(): void {
    if (this.#soon || this.#stopped || this.#running || this.fast || this.#failing) return;
    this.#soon = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), SOON);
  }

  /** Resolves when a sweep that began after this call has succeeded. It never resolves once the sweeper has been stopped. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.now();
    });
  }

  #schedule(): void {
    if (this.#stopped) return;
    if (this.#again) {
      this.#again = false;
      this.now();
      return;
    }
    const { interval } = this.#options;
    // While delivery changes back to NOTIFY, the fast lane waits for sweeps, so they do not slow down when they find nothing.
    const empty = this.#mode === 'sweep' ? this.#empty : 0;
    const wait = this.#failing
      ? Math.min(RETRY, interval('notify', 0))
      : interval(this.fast ? 'sweep' : 'notify', empty);
    this.#timer = setTimeout(() => this.now(), wait);
  }

  async #sweep(): Promise<void> {
    const { feed } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    const began = performance.now();
    try {
      await this.#once();
      this.#onceLog.end('sweeps work again');
      this.#failing = false;
      this.failure = undefined;
      this.lastSuccess = performance.now();
      this.count += 1;
      this.#seconds.observe((this.lastSuccess - began) / 1000);
      for (const resolve of waiting) resolve();
    } catch (err) {
      this.#waiting.push(...waiting);
      if (!this.#stopped) this.#onceLog.say('error', { err }, 'a sweep failed; will try again');
      this.#failing = true;
      this.failure = err;
      this.failures += 1;
      feed.close();
    }
  }

  async #once(): Promise<void> {
    const { feed, store, onForeign, onStatus, onRestart, listening } = this.#options;
    const since = feed.frontier!;
    feed.beginSweep(listening());
    const { taken } = feed;
    let restarted = false;
    let { status, foreign } = await store.sweep(
      since,
      undefined,
      (seen) => {
        restarted = seen.startedAt !== this.#startedAt || seen.generation !== this.#generation;
        return !restarted;
      },
      (envelopes) => feed.sweep(envelopes),
    );
    if (restarted) {
      await onRestart(status);
      // Events are read from the time of the last frontier on, and not from the last start on: PostgreSQL may have been started twice, and
      // events between the two starts count as well. If the database was replaced, its machine may have been started long ago, and its
      // clock may differ.
      const replaced = since.epoch !== store.epoch;
      const bornAfter = replaced ? since.time - CLOCK_SKEW : Math.min(since.time, status.startedAt);
      ({ status, foreign } = await store.sweep(
        since,
        bornAfter,
        () => true,
        (envelopes) => feed.sweep(this.#unseen(envelopes)),
      ));
      this.#startedAt = status.startedAt;
      this.#generation = status.generation;
    }
    feed.endSweep(status.frontier, status.mode === 'notify');
    this.#empty = feed.taken === taken ? this.#empty + 1 : 0;
    this.#mode = status.mode;
    onStatus(status, since);
    if (foreign) onForeign();
  }

  /** After a restart events are read by their time as well, so those that were delivered before it must be dropped. */
  #unseen(envelopes: Envelope[]): Envelope[] {
    return envelopes.filter((envelope) => !this.#options.wasDelivered(envelope));
  }

  /** Milliseconds since the last sweep that succeeded. */
  get #age(): number {
    return performance.now() - this.lastSuccess;
  }

  /** Whether a sweep has succeeded recently enough. */
  get onTime(): boolean {
    return this.count > 0 && this.#age <= Math.max(OVERDUE, OVERDUE_INTERVALS * this.#options.longestInterval);
  }

  findings(): Finding[] {
    return [this.#ofSweeps(), ...this.#ofSchema()];
  }

  #ofSweeps(): Finding {
    const check = 'sweep';
    if (this.count === 0) return { check, state: 'failing', reason: 'no sweep has succeeded yet' };
    if (this.onTime) return { check, state: 'ok' };
    return { check, state: 'failing', reason: `the last sweep was ${Math.round(this.#age / 1000)} s ago` };
  }

  #ofSchema(): Finding[] {
    const check = 'schema';
    const code = codeOf(this.failure);
    if (code === INSUFFICIENT_PRIVILEGE) {
      const reason = `this role lacks a right to the schema djr (${code}): djr.grant_server gives it`;
      return [{ check, state: 'failing', reason }];
    }
    if (isOfSchema(this.failure)) {
      return [{ check, state: 'failing', reason: `the schema djr is gone, or changed (${code})` }];
    }
    return this.count > 0 ? [{ check, state: 'ok' }] : [];
  }

  metrics(meter: Meter): void {
    meter.histogram('djr_sweep_duration_seconds', 'How long sweeps took that succeeded', this.#seconds);
    meter.counter('djr_sweeps_total', 'Sweeps that succeeded', () => this.count);
    meter.counter('djr_sweep_failures_total', 'Sweeps that failed', () => this.failures);
    meter.gauge('djr_sweep_age_seconds', 'Since the last sweep that succeeded', () =>
      this.lastSuccess === 0 ? undefined : this.#age / 1000,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
