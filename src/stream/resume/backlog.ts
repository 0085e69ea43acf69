import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { Item } from '../../event/item.js';
import { lowerBound } from '../../lib/lower-bound.js';

/** What one reading has to bring, so that all clients that wait for it can go on. */
export interface Need {
  readonly epoch: string;
  /** Everything from this transaction on. */
  readonly xmax: number;
  /** And everything of these older transactions, which were in flight then. */
  readonly inProgress: ReadonlySet<number>;
  /** The oldest time of their frontiers: of before PostgreSQL was started, transaction ids may have come again. */
  readonly time: number;
}

/** What storage says of itself in a reading of events. */
export interface StorageState {
  /** The snapshot of the reading. */
  readonly frontier: Frontier;
  readonly storage: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The highest transaction that was pruned, or that switched storage on again. */
  readonly prunedXid: number;
}

/** The latest events for clients, as many as one reading may bring. */
export interface Recent extends StorageState {
  /** In no order. */
  readonly envelopes: readonly Envelope[];
  /** Nothing from this transaction on was left out; `Infinity`: even of the older ones that were asked for something was. */
  readonly completeFrom: number;
}

/** Transactions that a crash may forget, as they had left nothing on disk: their ids come again, and a frontier may know them. */
const MAX_FORGOTTEN = 1000;

/** Why what was missed since this frontier cannot be had from storage; undefined: it can. */
export function unavailable(state: StorageState, since: Frontier): string | undefined {
  if (!state.storage) return 'events are not stored';
  if (since.xmax > state.frontier.xmax + MAX_FORGOTTEN) return 'the database was replaced or restored';
  if (lacks(state, since)) return 'events since then have been pruned or were not stored';
  return undefined;
}

/**
 * Whether something that is new since this frontier may have been pruned, or published before storage was switched on
 * again. What is still in progress has not been.
 */
function lacks({ frontier, prunedXid, startedAt }: StorageState, since: Frontier): boolean {
  // After a restart transaction ids may have come again, also those of transactions that had ended.
  if (startedAt > since.time) return prunedXid >= since.xmin;
  return prunedXid >= since.xmax || since.inProgress.some((xid) => xid <= prunedXid && !frontier.isNew(xid));
}

/** In-flight transactions that a need may name. */
const MAX_IN_PROGRESS = 10_000;

/** One need for many frontiers. */
export function needOf(frontiers: readonly Frontier[]): Need {
  const inProgress = new Set<number>();
  let xmax = Number.POSITIVE_INFINITY;
  let time = Number.POSITIVE_INFINITY;
  for (const frontier of frontiers) {
    // A frontier with too many in-flight transactions is widened to its xmin. Clients that reconnect together mostly name the
    // same ones.
    const more = frontier.inProgress.filter((xid) => !inProgress.has(xid));
    const few = inProgress.size + more.length <= MAX_IN_PROGRESS;
    for (const xid of few ? more : []) inProgress.add(xid);
    xmax = Math.min(xmax, few ? frontier.xmax : frontier.xmin);
    time = Math.min(time, frontier.time);
  }
  return { epoch: frontiers[0]!.epoch, xmax, inProgress, time };
}

const xidOf = ({ envelope }: Item): number => envelope.xid!;

/** What many clients that reconnect together have missed, read from storage once for all of them. It never changes. */
export class Backlog {
  /** The last of the instance's order when the reading began: what came behind it is in history. */
  readonly before: number;
  readonly state: StorageState;
  readonly #need: Need;
  readonly #completeFrom: number;
  /** By transaction and id; their numbers are places in this backlog. */
  readonly #byAudience = new Map<Audience, Item[]>();

  /** @param envelopes - what `onReceive` made of the events. */
  constructor(need: Need, before: number, recent: Recent, envelopes: readonly Envelope[]) {
    this.#need = need;
    this.before = before;
    this.state = recent;
    this.#completeFrom = recent.completeFrom;
    const ordered = [...envelopes].sort((a, b) => a.xid! - b.xid! || a.id - b.id);
    ordered.forEach((envelope, place) => {
      const item = new Item(place, envelope, '');
      if (envelope.audience === undefined) return;
      const others = this.#byAudience.get(envelope.audience);
      if (others) others.push(item);
      else this.#byAudience.set(envelope.audience, [item]);
    });
  }

  /** Whether all that is new since this frontier, and visible in the reading's snapshot, is here. */
  covers(frontier: Frontier): boolean {
    if (frontier.epoch !== this.#need.epoch) return false;
    // The time decides as well what is new: all of that was read only for those who waited, if nothing was left out.
    if (this.#restarted(frontier) && (frontier.time < this.#need.time || this.#isPartial)) return false;
    const { inProgress, xmax } = this.#need;
    const has = (xid: number) => xid >= this.#completeFrom || (xid < xmax && inProgress.has(xid));
    return frontier.xmax >= this.#completeFrom && frontier.inProgress.every(has);
  }

  /** There was more than one reading may bring, and another one would not reach back to this frontier either. */
  isBeyond(frontier: Frontier): boolean {
    return this.#isPartial && frontier.xmax < this.#completeFrom;
  }

  get #isPartial(): boolean {
    return this.#completeFrom > this.#need.xmax;
  }

  #restarted(frontier: Frontier): boolean {
    return this.state.startedAt > frontier.time;
  }

  /** What is here for these audiences and new since this frontier, in order. */
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
    // Below xmin nothing is new: many clients pass here, and most of a long backlog may be older than what they lack.
    return items.slice(lowerBound(items, frontier.xmin, xidOf)).filter(({ envelope: { xid } }) => frontier.isNew(xid!));
  }
}
