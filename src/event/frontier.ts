import { type PackedXids, packXids, unpackXids } from './xid-list.js';

/**
 * How far a stream has come: a `pg_snapshot`, the epoch to which its transaction ids belong, and the database's time when the snapshot
 * was taken. Every event that is visible in the snapshot has been delivered (docs/delivery.md).
 */
export class Frontier {
  readonly xmin: number;
  readonly xmax: number;
  /** The in-flight transactions: those below xmax that were in progress, ascending. */
  readonly inProgress: readonly number[];
  /** Milliseconds since 1970, by the database's clock. */
  readonly time: number;
  readonly epoch: string;
  #packed: string | undefined;
  #packedXids: PackedXids | undefined;
  #lookup: Set<number> | undefined;

  constructor(epoch: string, time: number, xmin: number, xmax: number, inProgress: readonly number[]) {
    this.epoch = epoch;
    this.time = time;
    this.xmin = xmin;
    this.xmax = xmax;
    this.inProgress = inProgress;
  }

  /** @param snapshot - `pg_snapshot` as text: `xmin:xmax:xip,xip`. */
  static fromSnapshot(snapshot: string, epoch: string, time: number): Frontier | undefined {
    const match = /^(\d{1,16}):(\d{1,16}):((?:\d{1,16}(?:,\d{1,16})*)?)$/.exec(snapshot);
    if (!match) return undefined;
    const inProgress = match[3] ? once(match[3].split(',').map(Number)) : [];
    const frontier = new Frontier(epoch, time, Number(match[1]), Number(match[2]), inProgress);
    return frontier.#isSound() ? frontier : undefined;
  }

  /** The same snapshot in another epoch. */
  inEpoch(epoch: string): Frontier {
    return new Frontier(epoch, this.time, this.xmin, this.xmax, this.inProgress);
  }

  /** The snapshot as PostgreSQL writes a `pg_snapshot`. */
  get snapshot(): string {
    return `${this.xmin}:${this.xmax}:${this.inProgress.join(',')}`;
  }

  /** Whether an event of transaction `xid` is new since this frontier: not visible in it. */
  isNew(xid: number): boolean {
    if (xid >= this.xmax) return true;
    if (xid < this.xmin || this.inProgress.length === 0) return false;
    this.#lookup ??= new Set(this.inProgress);
    return this.#lookup.has(xid);
  }

  /** Whether everything that is visible in the other frontier is visible in this one, too. */
  contains(other: Frontier): boolean {
    if (!this.inProgress.every((xid) => other.isNew(xid))) return false;
    // The other may have a higher xmax if every transaction from this xmax on is in progress in it.
    const unknown = other.inProgress.filter((xid) => xid >= this.xmax).length;
    return other.xmax - this.xmax <= unknown;
  }

  /** The form in a frame's id: `epoch.time.xmin.span[.gap…]` in base 36, or `….span.P…` with many in-flight transactions. */
  get packed(): string {
    this.#packed ??= this.#pack();
    return this.#packed;
  }

  /** Whether a frame's id can hold the whole frontier. False if there are so many in-flight transactions that {@link packed} leaves some events out. */
  get fits(): boolean {
    return this.inProgress.length <= MAX_PLAIN || this.#packXids().count === this.inProgress.length;
  }

  static unpack(parts: readonly string[]): Frontier | undefined {
    const [epoch, ...rest] = parts;
    if (!epoch || !/^[0-9a-z]{1,16}$/.test(epoch)) return undefined;
    const packed = rest.length === 4 && rest[3]!.startsWith(PACKED) ? rest.pop()!.slice(1) : undefined;
    const numbers = rest.map((part) => (/^[0-9a-z]{1,11}$/.test(part) ? Number.parseInt(part, 36) : Number.NaN));
    const [time, xmin, span, ...gaps] = numbers;
    if (time === undefined || xmin === undefined || span === undefined) return undefined;
    let last = xmin;
    const inProgress = packed === undefined ? once(gaps.map((gap) => (last += gap))) : unpackXids(packed, xmin);
    if (!inProgress) return undefined;
    const frontier = new Frontier(epoch, time, xmin, xmin + span, inProgress);
    return frontier.#isSound() ? frontier : undefined;
  }

  #isSound(): boolean {
    const all = [this.time, this.xmin, this.xmax, ...this.inProgress];
    return (
      all.every((value) => Number.isSafeInteger(value) && value >= 0) &&
      this.xmin <= this.xmax &&
      this.inProgress.every((xid, i) => xid >= (this.inProgress[i - 1] ?? this.xmin) && xid < this.xmax)
    );
  }

  #packXids(): PackedXids {
    this.#packedXids ??= packXids(this.inProgress, this.xmin, MAX_PACKED_LENGTH);
    return this.#packedXids;
  }

  #pack(): string {
    const { inProgress, xmax, xmin } = this;
    const head = `${this.epoch}.${this.time.toString(36)}.${xmin.toString(36)}`;
    // Instances of an older version can read this form only, so it is used whenever it is enough.
    if (inProgress.length <= MAX_PLAIN) {
      let text = `${head}.${(xmax - xmin).toString(36)}`;
      let last = xmin;
      for (const xid of inProgress) {
        text += `.${(xid - last).toString(36)}`;
        last = xid;
      }
      return text;
    }
    const { count, text } = this.#packXids();
    // A frontier that includes fewer events is always correct: events from the last transaction that fits on count as new again, and
    // clients drop the repeats by id.
    const end = inProgress[count] ?? xmax;
    return `${head}.${(end - xmin).toString(36)}.${PACKED}${text}`;
  }
}

/** Up to so many in-flight transactions a frame's id names one by one. */
const MAX_PLAIN = 64;

/** Begins the part of an id that has more of them in a packed form. */
const PACKED = 'P';

/** Characters of that part. An id so stays below 2 kB, and a request's headers may have 16 kB. */
const MAX_PACKED_LENGTH = 1700;

/** Drops repeated numbers, which a text that djr did not make may have. */
const once = (ascending: readonly number[]): number[] => ascending.filter((xid, i) => xid !== ascending[i - 1]);
