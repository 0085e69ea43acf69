import { setImmediate } from 'node:timers/promises';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Finding } from '../instance/finding.js';
import { IdSet } from '../lib/id-set.js';
import type { Meter } from '../lib/meter.js';
import { Serial } from '../lib/serial.js';

export interface FeedOptions {
  /** Delivers each event, once and in order. It should not throw or reject; when it does, that event alone is lost. */
  deliver(envelope: Envelope): void | Promise<void>;
  /** How many events may wait for a slow `onReceive` before the fast lane closes. */
  maxWaiting: number;
  /** Bytes of events that may wait for it, before a sweep reads on. @defaultValue any number */
  maxWaitingBytes?: number;
  /** Bytes of events that a sweep delivers before clients have a moment to read: less than may wait for one of them. */
  turnBytes: number;
  /** Too many events waited, and this one has no row from which a sweep could bring it: it is lost. */
  onLost(envelope: Envelope): void;
  /** An event could not be delivered. */
  onFailed(envelope: Envelope, error: unknown): void;
}

/** Sweeps for which the fast lane waits for older transactions to end: a second of them. */
const MAX_SETTLING = 200;

/** Events that the fast lane may bring while one sweep runs: behind a sweep of millions the next one has the rest. */
const MAX_AHEAD = 50_000;

/**
 * Brings fast lane and sweep together: one order, no repeats, nothing missing.
 *
 * An event comes by NOTIFY, by a sweep, or by both in either order. What is visible in the frontier was delivered
 * before; what the fast lane delivered and no sweep has seen yet is remembered by id.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #steps: Serial<Envelope | Frontier | (() => void)>;
  /** What the fast lane delivered, by id, with the number of the sweep that was the last to begin before it. */
  readonly #ahead = new Map<number, number>();
  /**
   * What sweeps have delivered since the frontier moved: its NOTIFY may come only now. A sweep that fails half way leaves it
   * to the next, which reads the same again.
   */
  readonly #swept = new IdSet();
  /** Of events that are pushed and not delivered yet. */
  #waitingBytes = 0;
  #sweeps = 0;
  /** Events that the feed has begun to deliver since the start. */
  taken = 0;
  /** Events with `store => false` that were heard. */
  unstored = 0;
  /** Events without a row that were lost, as too many waited for `onReceive`. */
  lost = 0;
  /** Events that could not be delivered. */
  failures = 0;
  /** Sweeps whose frontier no id can hold, as too many transactions were in progress. */
  cut = 0;
  #open = false;
  /** LISTEN was in force before the running sweep began, and has not been lost since. */
  #opens = false;
  /** Events that were heard while the sweep runs that opens the fast lane. They are delivered behind what the sweep reads. */
  #held: Envelope[] = [];
  /** Events without a row that were heard before the stream has a beginning: no sweep could find them. */
  #early: Envelope[] = [];
  /** Set while publishers may still commit events without a NOTIFY, because delivery was `sweep` when they began. */
  #awaitingSilentPublishers: { xmax: number | undefined; sweeps: number } | undefined;
  #frontier: Frontier | undefined;
  /** The frontier that the steps have come to: it moves behind the events that it promises. */
  #reached: Frontier | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#steps = new Serial((step) => {
      if (typeof step === 'function') {
        step();
        return;
      }
      if ('xmin' in step) {
        this.#reached = step;
        return;
      }
      this.taken += 1;
      this.#waitingBytes -= step.size;
      return this.#deliver(step);
    });
  }

  #push(envelope: Envelope): void {
    this.#waitingBytes += envelope.size;
    this.#steps.push(envelope);
  }

  /** An event that cannot be delivered must not stop those behind it. */
  #deliver(envelope: Envelope): void | Promise<void> {
    const failed = (error: unknown) => {
      this.failures += 1;
      this.#options.onFailed(envelope, error);
    };
    try {
      return this.#options.deliver(envelope)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Milliseconds for which the event that is being delivered has held up all others. */
  get stuckFor(): number {
    return this.#steps.busyFor;
  }

  /** The feed knows all events visible in this frontier; the next sweep reads what is new since. */
  get frontier(): Frontier | undefined {
    return this.#frontier;
  }

  /** All events visible in it have been delivered. */
  get reached(): Frontier {
    if (!this.#reached) throw new Error('The feed has no frontier before the first sweep.');
    return this.#reached;
  }

  get waiting(): number {
    return this.#steps.length;
  }

  /** Delivery is `notify` again, but events are still found by sweeps alone: they should not be far apart. */
  get settling(): boolean {
    return this.#awaitingSilentPublishers !== undefined;
  }

  /** Starts from here: what is visible now counts as delivered. */
  startAt(frontier: Frontier): void {
    this.#frontier = frontier;
    this.#steps.push(frontier);
    this.#ahead.clear();
    this.#swept.clear();
    const early = this.#early;
    this.#early = [];
    for (const envelope of early) this.#push(envelope);
  }

  /**
   * The database was restored or replaced. Ids of frames count from this frontier now, while the next sweep still reads
   * from the one before. Event ids may come again for other events. Resolves when all that came before is delivered.
   */
  rebase(frontier: Frontier): Promise<void> {
    this.#steps.push(frontier);
    this.#ahead.clear();
    this.#swept.clear();
    return this.settled();
  }

  /** After LISTEN was lost: until the next sweep has ended, nobody knows what was missed. */
  close(): void {
    this.#open = false;
    this.#opens = false;
    this.#held = [];
  }

  /**
   * The fast lane. Until it is open a stored event is left to the sweep; what is heard while the sweep runs that opens
   * it has only to wait for its end. One event too many closes it: the next must not pass what was left to the sweep.
   */
  receive(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      const full = this.#steps.length + this.#early.length >= this.#options.maxWaiting;
      if (envelope.xid === null) {
        if (envelope.unstored) this.unstored += 1;
        if (full) {
          this.lost += 1;
          this.#options.onLost(envelope);
        } else if (this.#frontier) this.#push(envelope);
        else this.#early.push(envelope);
        continue;
      }
      if (full || this.#held.length >= this.#options.maxWaiting || this.#ahead.size >= MAX_AHEAD) this.close();
      if (!this.#open && this.#opens) this.#held.push(envelope);
      if (!this.#open || this.#swept.has(envelope.id) || this.#ahead.has(envelope.id)) continue;
      if (!this.#frontier?.isNew(envelope.xid)) continue;
      this.#ahead.set(envelope.id, this.#sweeps);
      this.#push(envelope);
    }
  }

  /** @param opensFastLane - LISTEN is in force: what comes from now on is heard, what came before is swept. */
  beginSweep(opensFastLane: boolean): void {
    this.#opens = opensFastLane;
    this.#held = [];
    this.#sweeps += 1;
  }

  /** Rows of the running sweep, in any number of batches. Resolves when there is room for more. */
  async sweep(envelopes: readonly Envelope[]): Promise<void> {
    let bytes = 0;
    for (const envelope of envelopes) {
      if (this.#ahead.has(envelope.id) || this.#swept.has(envelope.id)) continue;
      this.#swept.add(envelope.id);
      this.#push(envelope);
      bytes += envelope.size;
      // What NOTIFY brings comes in pieces; thousands of rows at once would be more than a client's bound before it can read any.
      if (bytes < this.#options.turnBytes) continue;
      bytes = 0;
      await setImmediate();
    }
    const { maxWaiting, maxWaitingBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#steps.length >= maxWaiting || this.#waitingBytes >= maxWaitingBytes) await this.#steps.idle();
  }

  /**
   * The sweep has read all that was new: the frontier moves.
   *
   * @param notifying - whether it read that publishers notify: what they do not, only a sweep finds.
   */
  endSweep(frontier: Frontier, notifying: boolean): void {
    this.#frontier = frontier;
    if (!frontier.fits) this.cut += 1;
    this.#steps.push(frontier);
    this.#swept.clear();
    // What was delivered before this sweep began was visible to it, whether its row is still there or not.
    for (const [id, sweep] of this.#ahead) {
      if (sweep >= this.#sweeps) break;
      this.#ahead.delete(id);
    }
    const heardAll = this.#heardAll(frontier, notifying);
    if (!heardAll) this.#open = false;
    if (!heardAll || !this.#opens) return;
    this.#open = true;
    const held = this.#held;
    this.#held = [];
    this.receive(held);
  }

  /**
   * True once every event that this sweep could have missed is certain to be announced with NOTIFY. The mode that a sweep
   * reads may be younger than its snapshot, so that the sweep after the one that read `notify` is the first to count; a
   * transaction that was in flight then may have published before.
   */
  #heardAll(frontier: Frontier, notifying: boolean): boolean {
    if (!notifying) {
      this.#awaitingSilentPublishers = { xmax: undefined, sweeps: -1 };
      return false;
    }
    const awaiting = this.#awaitingSilentPublishers;
    if (!awaiting) return true;
    awaiting.sweeps += 1;
    if (awaiting.sweeps === 0) return false;
    awaiting.xmax ??= frontier.xmax;
    if (frontier.xmin < awaiting.xmax && awaiting.sweeps < MAX_SETTLING) return false;
    this.#awaitingSilentPublishers = undefined;
    return true;
  }

  /** @param longest - milliseconds that one event may be on its way */
  findings(longest: number): Finding[] {
    const { stuckFor } = this;
    if (stuckFor <= longest) return [{ check: 'delivery', state: this.#frontier ? 'ok' : 'unknown' }];
    const seconds = Math.round(stuckFor / 1000);
    const reason = `no event has been delivered for ${seconds} s: one before them does not end`;
    return [{ check: 'delivery', state: 'failing', reason }];
  }

  metrics(meter: Meter): void {
    meter.gauge('djr_feed_waiting', 'Events that wait for onReceive', () => this.waiting);
    meter.counter('djr_events_failed_total', 'Events that could not be delivered', () => this.failures);
    meter.gauge(
      'djr_open_transactions',
      'Transactions in progress when the last sweep ran',
      () => this.#frontier?.inProgress.length,
    );
    meter.counter(
      'djr_frontiers_cut_total',
      'Sweeps at which more transactions were in progress than an id can hold: clients that go to another instance get repeats',
      () => this.cut,
    );
    meter.counter(
      'djr_unstored_lost_total',
      'Events without a row that this instance lost, as too many waited for onReceive',
      () => this.lost,
    );
  }

  /** Resolves when all that the feed knows by now has been delivered. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.#steps.push(resolve));
  }
}
