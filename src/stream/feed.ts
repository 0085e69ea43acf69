import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Finding } from '../instance/finding.js';
import { IdSet } from '../lib/id-set.js';
import type { Meter } from '../lib/meter.js';
import { Serial } from '../lib/serial.js';
import { Turns } from './turns.js';

export interface FeedOptions {
  /** Called for each event once, in the order in which this instance's feed took them. If it throws or rejects, only that event is lost. */
  deliver(envelope: Envelope): void | Promise<void>;
  /** If so many events wait for a slow `onReceive`, the fast lane closes, the running sweep pauses, and an event without a row is lost. */
  maxWaiting: number;
  /** If events of so many bytes wait for a slow `onReceive`, the running sweep pauses. @defaultValue any number */
  maxWaitingBytes?: number;
  /** Bytes of events that are delivered before clients get a turn to read; fewer than may wait for one client. */
  turnBytes: number;
  /** An event without a row is lost: too many events were waiting, and no sweep can find it. */
  onLost(envelope: Envelope): void;
  /** An event could not be delivered. */
  onFailed(envelope: Envelope, error: unknown): void;
}

/** The fast lane waits at most so many sweeps, about a second, for older transactions to end. */
const MAX_SETTLING = 200;

/**
 * Events that the fast lane may have taken and no sweep has covered yet. With more the fast lane closes, as during a sweep of millions,
 * and the next sweep reads the rest.
 */
const MAX_AHEAD = 50_000;

/**
 * Combines the two ways by which events reach an instance, NOTIFY (the fast lane) and sweeps, into one order: without repeats, and
 * without leaving any event out.
 *
 * An event may come by NOTIFY, by a sweep, or by both, in either order. The feed knows repeats by three things: the frontier, as the
 * feed has taken every event that is visible in it; the ids of the events that the fast lane took and no sweep has covered yet; and the
 * ids of the events that sweeps took since the frontier last moved.
 *
 * The fast lane is open while every stored event is certain to be announced with NOTIFY and heard. While it is closed, stored events
 * are left to the sweep.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #steps: Serial<Envelope | Frontier | (() => void)>;
  readonly #turns: Turns;
  /** Ids of events that the fast lane took and no sweep has covered yet, each with the number of the last sweep that had begun then. */
  readonly #ahead = new Map<number, number>();
  /**
   * Ids of events that sweeps took since the frontier last moved. The NOTIFY for such an event may come later; and a sweep that fails
   * half way leaves the frontier where it is, so that the next sweep reads the same events again.
   */
  readonly #swept = new IdSet();
  /** Bytes of events that wait to be delivered. */
  #waitingBytes = 0;
  #sweeps = 0;
  /** How many events the feed has begun to deliver since the start. */
  taken = 0;
  /** How many events came that were published with `store => false`. */
  unstored = 0;
  /** How many events without a row, of either kind, were lost because too many events waited for `onReceive`. */
  lost = 0;
  /** How many events could not be delivered. */
  failures = 0;
  /** How many sweeps had a frontier with more in-flight transactions than a frame's id can hold. */
  cut = 0;
  /** Whether the fast lane is open. */
  #open = false;
  /** Whether LISTEN was in force before the running sweep began, and has not been lost since: then the end of the sweep opens the fast lane. */
  #opens = false;
  /** Events that NOTIFY brought while the sweep runs that will open the fast lane. They are delivered after the events of the sweep. */
  #held: Envelope[] = [];
  /** Events without a row that came before the first frontier. They are kept, as no sweep could find them. */
  #early: Envelope[] = [];
  /** Set while publishers may still commit events without NOTIFY, because delivery was `sweep` when they published. */
  #awaitingSilentPublishers: { xmax: number | undefined; sweeps: number } | undefined;
  #frontier: Frontier | undefined;
  /** The frontier that frames' ids carry. It moves once every event that is visible in it has been delivered; {@link rebase} moves it sooner. */
  #reached: Frontier | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#turns = new Turns(options.turnBytes);
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
      const delivered = this.#deliver(step);
      return this.#steps.length > 0 ? this.#turns.after(step.size, delivered) : delivered;
    });
  }

  #push(envelope: Envelope): void {
    this.#waitingBytes += envelope.size;
    this.#steps.push(envelope);
  }

  /** Delivers an event. If that fails, the events after it are delivered all the same. */
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

  /** Milliseconds for which the delivery of the current event has been going on, while all others wait. */
  get stuckFor(): number {
    return this.#steps.busyFor;
  }

  /** The frontier of the last sweep: the feed has all events that are visible in it, delivered or waiting. The next sweep reads what is new since. */
  get frontier(): Frontier | undefined {
    return this.#frontier;
  }

  /** The frontier up to which all events have been delivered. */
  get reached(): Frontier {
    if (!this.#reached) throw new Error('The feed has no frontier before the first sweep.');
    return this.#reached;
  }

  get waiting(): number {
    return this.#steps.length;
  }

  /** True from when a sweep has read the mode `sweep` until the feed counts every publisher as notifying: until then sweeps must come fast. */
  get settling(): boolean {
    return this.#awaitingSilentPublishers !== undefined;
  }

  /** Starts from this frontier: events that are visible in it count as delivered. */
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
   * The database was restored or replaced. Once all waiting events have been delivered, ids of frames carry this frontier, and the
   * promise resolves. {@link frontier} stays as it is, so the running sweep still reads from there. All remembered event ids are
   * forgotten, as they may belong to other events now.
   */
  rebase(frontier: Frontier): Promise<void> {
    this.#steps.push(frontier);
    this.#ahead.clear();
    this.#swept.clear();
    return this.settled();
  }

  /** Closes the fast lane, because LISTEN was lost or an event was left to the sweep. It opens at the end of a sweep that begins after this. */
  close(): void {
    this.#open = false;
    this.#opens = false;
    this.#held = [];
  }

  /**
   * Takes events that NOTIFY brought: this is the fast lane. While it is closed a stored event is left to the sweep, except that events
   * which come during the sweep that will open it wait for that sweep's end. If too many events wait, the fast lane closes, so that no
   * later event overtakes one that was left to the sweep.
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

  /** A sweep begins. @param opensFastLane - LISTEN is in force: events from now on are heard, and this sweep reads the earlier ones */
  beginSweep(opensFastLane: boolean): void {
    this.#opens = opensFastLane;
    this.#held = [];
    this.#sweeps += 1;
  }

  /** Takes events of the running sweep, in any number of batches. If few events wait then, it resolves; otherwise it resolves when none waits. */
  async sweep(envelopes: readonly Envelope[]): Promise<void> {
    const turns = new Turns(this.#options.turnBytes);
    for (const envelope of envelopes) {
      if (this.#ahead.has(envelope.id) || this.#swept.has(envelope.id)) continue;
      this.#swept.add(envelope.id);
      this.#push(envelope);
      const turn = turns.after(envelope.size);
      if (turn) await turn;
    }
    const { maxWaiting, maxWaitingBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#steps.length >= maxWaiting || this.#waitingBytes >= maxWaitingBytes) await this.#steps.idle();
  }

  /**
   * The sweep has read everything that was new, so the frontier moves.
   *
   * @param notifying - whether publishers notify, as the sweep read it; while they do not, only sweeps find events
   */
  endSweep(frontier: Frontier, notifying: boolean): void {
    this.#frontier = frontier;
    if (!frontier.fits) this.cut += 1;
    this.#steps.push(frontier);
    this.#swept.clear();
    // Events that the fast lane took before this sweep began were visible to the sweep, so the frontier includes them now.
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
   * Whether the fast lane may open as far as publishers are concerned. The first sweep that reads `notify` does not count, as the mode
   * may be newer than the sweep's snapshot. Transactions that are in progress at the second one may have published without NOTIFY, so
   * the feed waits until all of them have ended, for at most {@link MAX_SETTLING} sweeps. If one lasts longer, its events may come
   * without NOTIFY: a later sweep delivers them, after younger events.
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

  /** @param longest - milliseconds that the delivery of one event may take before health reports it */
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

  /** Resolves when every event that the feed has by now has been delivered. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.#steps.push(resolve));
  }
}
