import type { NamedAhead } from '../event/ahead.js';
import type { Audience } from '../event/audience.js';
import type { Frontier } from '../event/frontier.js';
import type { Item } from '../event/item.js';
import { lowerBound } from '../lib/lower-bound.js';
import type { Meter } from '../lib/meter.js';
import type { Beginnings } from './beginnings.js';

const sequenceOf = (item: Item | undefined): number => item?.sequence ?? Number.NEGATIVE_INFINITY;

/**
 * The recent events of this instance in memory, in the order in which they were delivered, bounded by count and by bytes. A client that
 * reconnects resumes from here if the history has everything that is new for it; otherwise it resumes from storage.
 */
export class History {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  /** The events; indexes below the head are empty. */
  #items: (Item | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #lastSequence = 0;
  /** The sequence number of the last item that was dropped. */
  #droppedUpTo = 0;
  /** The history has every event of this transaction and of all later ones, as far as this instance has delivered them. */
  #completeFrom = Number.POSITIVE_INFINITY;
  /**
   * False while storage is off: other instances may have delivered events that this one never saw. The source sets it at each sweep or
   * checkpoint, and {@link push} sets it to false.
   */
  stored = true;
  /** Set if the source brings events of some audiences only: for each audience the point from which the history has its events. */
  beginnings: Beginnings | undefined;
  /** When PostgreSQL was started, milliseconds since 1970. For a frontier from before that, transaction ids may have been used a second time. */
  #xidsValidFrom = 0;

  constructor(maxEvents: number, maxBytes: number) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(item: Item): void {
    // An event without a row that is kept here was published while storage was off. The next sweep reads the setting again.
    if (item.envelope.xid === null) this.stored = false;
    this.#lastSequence = item.sequence;
    this.#items.push(item);
    this.#bytes += item.size;
    while (this.length > this.#maxEvents || this.#bytes > this.#maxBytes) this.#dropOldest();
  }

  #dropOldest(): void {
    const item = this.#items[this.#head]!;
    // The array is cut only now and then, so the dropped item is cleared here.
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= item.size;
    this.#droppedUpTo = item.sequence;
    if (item.envelope.xid !== null) this.#completeFrom = Math.max(this.#completeFrom, item.envelope.xid + 1);
    // Shifting the array for each event would move all of it each time. It is cut once a third of it is empty.
    if (this.#head > 1024 && this.#head * 3 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /**
   * Empties the history. From now on it is complete for transaction `completeFrom` and later ones, as all their events will be pushed.
   *
   * @param sequence - the sequence number after which it begins
   */
  startAt(completeFrom: number, sequence = this.#lastSequence): void {
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#lastSequence = sequence;
    this.#droppedUpTo = sequence;
    this.#completeFrom = completeFrom;
    this.beginnings?.clear();
  }

  /** From now on events of transactions before this one may be missing. The events that are here stay. */
  markIncompleteBefore(xid: number): void {
    this.#completeFrom = Math.max(this.#completeFrom, xid);
  }

  /** From now on items up to this sequence number may be missing. The last sequence number becomes at least this one. */
  markIncompleteUpTo(sequence: number): void {
    this.#droppedUpTo = Math.max(this.#droppedUpTo, sequence);
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
  }

  /** Whether every item for these audiences after this sequence number is still here. With no audiences only the history's bounds are checked. */
  reaches(sequence: number, audiences: Iterable<Audience> = []): boolean {
    if (sequence > this.#lastSequence || sequence < this.#droppedUpTo) return false;
    return this.beginnings?.reach(sequence, audiences) ?? true;
  }

  /** Up to `count` items after this sequence number; ask {@link reaches} first. */
  after(sequence: number, count: number): Item[] {
    const start = lowerBound(this.#items, sequence + 1, sequenceOf, this.#head);
    return this.#items.slice(start, start + count) as Item[];
  }

  /** Whether it has every event for these audiences that is new since this frontier. With no audiences only the history's bounds are checked. */
  covers(frontier: Frontier, audiences: Iterable<Audience> = []): boolean {
    if (!this.stored || frontier.xmin < this.#completeFrom || frontier.time < this.#xidsValidFrom) return false;
    return this.beginnings?.cover(frontier, audiences) ?? true;
  }

  /** Whether all events that a client's id names are here. The search begins with the newest, as the named ones are mostly among them. */
  hasAll(ahead: NamedAhead): boolean {
    let missing = ahead.size;
    for (let index = this.#items.length - 1; index >= this.#head && missing > 0; index -= 1) {
      if (ahead.has(this.#items[index]!.envelope)) missing -= 1;
    }
    return missing <= 0;
  }

  /** PostgreSQL was started at this time (milliseconds since 1970). */
  restarted(at: number): void {
    this.#xidsValidFrom = at;
  }

  /** The items that are new since this frontier; ask {@link covers} first. */
  since(frontier: Frontier): Item[] {
    return this.all().filter(({ envelope: { xid } }) => xid !== null && frontier.isNew(xid));
  }

  /** The item of this event; undefined if it is not here. */
  find(id: number): Item | undefined {
    return this.#items.findLast((item) => item?.envelope.id === id);
  }

  metrics(meter: Meter): void {
    meter.gauge('djr_history_events', 'Recent events in memory', () => this.length);
    meter.gauge('djr_history_bytes', 'Bytes that they take, about', () => this.bytes);
  }

  /** All items, oldest first. */
  all(): Item[] {
    return this.#items.slice(this.#head) as Item[];
  }
}
