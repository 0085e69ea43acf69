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
  /** Milliseconds to the next sweep. @param empty - how many have found nothing since one did */
  interval(mode: Status['mode'], empty: number): number;
  /** Whether LISTEN is in force and heard: a sweep that begins then opens the fast lane when it has ended. */
  listening(): boolean;
  /** What each sweep read beside the events, and since when. */
  onStatus(status: Status, since: Frontier): void;
  /** PostgreSQL was started anew since the last sweep: transaction ids may have come again. */
  onRestart(status: Status): Promise<void>;
  /** Milliseconds between two sweeps while NOTIFY delivers: several of them without one that succeeds are too many. */
  longestInterval: number;
  /** It stepped over events of another cluster, which a restore brought. */
  onForeign(): void;
  /** Whether this very event was delivered before PostgreSQL was started. */
  wasDelivered(envelope: Envelope): boolean;
}

/** Milliseconds by which the clocks of a primary and of the standby that takes over may differ. */
const CLOCK_SKEW = 60_000;

/** Milliseconds to the sweep behind one that failed, at most: until it succeeds the fast lane is closed. */
const RETRY = 1000;

/** Milliseconds between two sweeps, at least, where one is asked for {@link Sweeper.soon}. */
const SOON = 100;

/** Milliseconds, and as many times the interval, after which a sweep is overdue. */
const OVERDUE = 5000;
const OVERDUE_INTERVALS = 5;

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** Reads time and again what is visible now and was not at the last sweep. Sweeps alone make delivery complete. */
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
  /** Sweeps that succeeded. */
  count = 0;
  /** Sweeps that failed. */
  failures = 0;
  /** Why the last sweep failed; undefined when it did not. */
  failure: unknown;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#onceLog = databaseLog(options.logger);
  }

  /** @param status - what the feed's first frontier was taken from. */
  start(status: Status): void {
    this.#startedAt = status.startedAt;
    this.#generation = status.generation;
    this.#mode = status.mode;
    this.lastSuccess = performance.now();
    this.#stopped = false;
    this.now();
  }

  /** Events come by sweeps alone at present. */
  get fast(): boolean {
    return this.#mode === 'sweep' || this.#options.feed.settling;
  }

  /** Sweeps at once, or once more after the one that runs. */
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
   * Sweeps within {@link SOON} milliseconds: the fast lane has brought more than ids can name, and a client that moves to
   * another instance would get it again. It is called with every event, so nearly all calls do nothing.
   */
  soon(): void {
    if (this.#soon || this.#stopped || this.#running || this.fast || this.#failing) return;
    this.#soon = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), SOON);
  }

  /** Resolves when a sweep that began after this call has succeeded. */
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
    // While delivery settles on the way back to NOTIFY, each sweep is waited for.
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
      // Not since the last start, as there may have been two, and what was published between them counts as well. Another
      // history of the database may be served by a machine that was started long ago, and by another clock.
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

  /** After a restart rows are found by their time as well. Some of them were delivered before it. */
  #unseen(envelopes: Envelope[]): Envelope[] {
    return envelopes.filter((envelope) => !this.#options.wasDelivered(envelope));
  }

  /** Milliseconds since the last sweep that succeeded. */
  get #age(): number {
    return performance.now() - this.lastSuccess;
  }

  /** Whether a sweep has succeeded lately. */
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
