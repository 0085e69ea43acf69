import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { Item } from '../../event/item.js';
import { lowerBound } from '../../lib/lower-bound.js';

/** What one shared reading must bring, so that all clients that wait for it can resume. */
export interface Need {
  readonly epoch: string;
  /** Everything from this transaction on. */
  readonly xmax: number;
  /** And everything of these older transactions, which were in flight at the clients' frontiers. */
  readonly inProgress: ReadonlySet<number>;
  /** The oldest time of the clients' frontiers. If PostgreSQL was started after it, transaction ids may have been used a second time. */
  readonly time: number;
}

/** The state of storage, as a reading of events found it. */
export interface StorageState {
  /** The snapshot of the reading. */
  readonly frontier: Frontier;
  /** Whether events are stored. */
  readonly storage: boolean;
  /** When PostgreSQL was started, milliseconds since 1970. */
  readonly startedAt: number;
  /** The highest transaction that was pruned, or that switched storage on again. */
  readonly prunedXid: number;
}

/** The latest events for clients, as many as one reading brings. */
export interface Recent extends StorageState {
  /** The events, in no particular order. */
  readonly envelopes: readonly Envelope[];
  /** No event of this transaction or a later one was left out. `Infinity`: even events of the in-flight transactions in the need were left out. */
  readonly completeFrom: number;
}

/**
 * A crash may forget up to so many transactions that had left nothing on disk. Their ids are used again, and a frontier may include them.
 * A frontier whose xmax lies further ahead is from another database, or from before a restore.
 */
const MAX_FORGOTTEN = 1000;

/** Whether a frontier cannot come from the database whose current frontier this is. */
export const isForeign = (frontier: Frontier, current: Frontier): boolean =>
  frontier.xmax > current.xmax + MAX_FORGOTTEN;

/** Why the events that are new since this frontier cannot be had from storage; undefined: they can. */
export function unavailable(state: StorageState, since: Frontier): string | undefined {
  if (!state.storage) return 'events are not stored';
  if (isForeign(since, state.frontier)) return 'the database was replaced or restored';
  if (lacks(state, since)) return 'events since then have been pruned or were not stored';
  return undefined;
}

/**
 * Whether an event that is new since this frontier may have been pruned, or published while storage was off. Events of transactions that
 * are still in progress cannot have been pruned, and nobody has missed them yet.
 */
function lacks({ frontier, prunedXid, startedAt }: StorageState, since: Frontier): boolean {
  // After a restart of PostgreSQL transaction ids may have been used a second time, even those of transactions that had ended.
  if (startedAt > since.time) return prunedXid >= since.xmin;
  return prunedXid >= since.xmax || since.inProgress.some((xid) => xid <= prunedXid && !frontier.isNew(xid));
}

/** In-flight transactions that a need may have. */
const MAX_IN_PROGRESS = 10_000;

/** The need of many clients together. */
export function needOf(frontiers: readonly Frontier[]): Need {
  const inProgress = new Set<number>();
  let xmax = Number.POSITIVE_INFINITY;
  let time = Number.POSITIVE_INFINITY;
  for (const frontier of frontiers) {
    // A frontier with too many in-flight transactions is widened to its xmin. Clients that reconnect together mostly have the same
    // in-flight transactions, so the limit is seldom reached.
    const more = frontier.inProgress.filter((xid) => !inProgress.has(xid));
    const few = inProgress.size + more.length <= MAX_IN_PROGRESS;
    for (const xid of few ? more : []) inProgress.add(xid);
    xmax = Math.min(xmax, few ? frontier.xmax : frontier.xmin);
    time = Math.min(time, frontier.time);
  }
  return { epoch: frontiers[0]!.epoch, xmax, inProgress, time };
}

const xidOf = ({ envelope }: Item): number => envelope.xid!;

/** The events that many clients which reconnect together have missed, read from storage once for all of them. It never changes. */
export class Backlog {
  /**
   * The last sequence number of this instance when the reading began. Every item with a higher number comes from the history; the backlog
   * may contain the same event.
   */
  readonly before: number;
  readonly state: StorageState;
  readonly #need: Need;
  readonly #completeFrom: number;
  /** The events by audience, in the order of transaction and id; their sequence numbers are indexes in this backlog. */
  readonly #byAudience = new Map<Audience, Item[]>();

  /** @param envelopes - the events as `onReceive` returned them */
  constructor(need: Need, before: number, recent: Recent, envelopes: readonly Envelope[]) {
    this.#need = need;
    this.before = before;
    this.state = recent;
    this.#completeFrom = recent.completeFrom;
    const ordered = [...envelopes].sort((a, b) => a.xid! - b.xid! || a.id - b.id);
    ordered.forEach((envelope, index) => {
      const item = new Item(index, envelope, '');
      if (envelope.audience === undefined) return;
      const others = this.#byAudience.get(envelope.audience);
      if (others) others.push(item);
      else this.#byAudience.set(envelope.audience, [item]);
    });
  }

  /** Whether it has every event that is new since this frontier and visible in the snapshot of the reading. */
  covers(frontier: Frontier): boolean {
    if (frontier.epoch !== this.#need.epoch) return false;
    // After a restart of PostgreSQL the time decides as well what is new. The reading has all of that only for frontiers that are not older
    // than the need, and only if nothing was left out.
    if (this.#restarted(frontier) && (frontier.time < this.#need.time || this.#isPartial)) return false;
    const { inProgress, xmax } = this.#need;
    const has = (xid: number) => xid >= this.#completeFrom || (xid < xmax && inProgress.has(xid));
    return frontier.xmax >= this.#completeFrom && frontier.inProgress.every(has);
  }

  /** Whether there were more events than one reading brings, so that another reading would not reach back to this frontier either. */
  isBeyond(frontier: Frontier): boolean {
    return this.#isPartial && frontier.xmax < this.#completeFrom;
  }

  get #isPartial(): boolean {
    return this.#completeFrom > this.#need.xmax;
  }

  #restarted(frontier: Frontier): boolean {
    return this.state.startedAt > frontier.time;
  }

  /** The events for these audiences that are new since this frontier, in order. */
  since(frontier: Frontier, audiences: Iterable<Audience>): Item[] {
    const parts: Item[][] = [];
    for (const audience of audiences) {
      const items = this.#byAudience.get(audience);
      if (items) parts.push(this.#new(items, frontier));
    }
    if (parts.length < 2) return parts[0] ?? [];
    return parts.flat().sort((a, b) => a.sequence - b.sequence);
  }

  #new(items: readonly Item[], frontier: Frontier): Item[] {
    if (this.#restarted(frontier)) {
      return items.filter(({ envelope: { xid, createdAt } }) => frontier.isNew(xid!) || createdAt >= frontier.time);
    }
    // Events below xmin are not new. They are skipped with a binary search, as this runs for many clients, and most of a long backlog may
    // be older than what they missed.
    return items.slice(lowerBound(items, frontier.xmin, xidOf)).filter(({ envelope: { xid } }) => frontier.isNew(xid!));
  }
}
