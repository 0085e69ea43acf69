import { type PackedXids, packXids, unpackXids } from './xid-list.js';

/**
 * How far the stream has come: a `pg_snapshot`, the epoch that its transaction ids belong to, and the database's
 * time when it was taken. All events visible in it have been delivered (docs/delivery.md).
 */
export class Frontier {
  readonly xmin: number;
  readonly xmax: number;
  /** Transactions below xmax that were in progress, ascending. */
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

  /** The same snapshot, read as one of another history of the database. */
  inEpoch(epoch: string): Frontier {
    return new Frontier(epoch, this.time, this.xmin, this.xmax, this.inProgress);
  }

  /** As `pg_snapshot` text. */
  get snapshot(): string {
    return `${this.xmin}:${this.xmax}:${this.inProgress.join(',')}`;
  }

  /** Whether an event of transaction `xid` was not visible yet. */
  isNew(xid: number): boolean {
    if (xid >= this.xmax) return true;
    if (xid < this.xmin || this.inProgress.length === 0) return false;
    this.#lookup ??= new Set(this.inProgress);
    return this.#lookup.has(xid);
  }

  /** Whether everything that is visible in the other is visible in this one, too. */
  contains(other: Frontier): boolean {
    if (!this.inProgress.every((xid) => other.isNew(xid))) return false;
    // Of what this one does not know yet, the other may have all in progress.
    const unknown = other.inProgress.filter((xid) => xid >= this.xmax).length;
    return other.xmax - this.xmax <= unknown;
  }

  /** What a frame's id carries: `epoch.time.xmin.span[.gap…]` in base 36, or `….span.P…` with many transactions in progress. */
  get packed(): string {
    this.#packed ??= this.#pack();
    return this.#packed;
  }

  /** Whether an id holds all of it: false when so many transactions are in progress that ids claim less. */
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
    // An instance of an older version reads nothing but this form: it is used wherever it is enough.
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
    // Claiming less is always right: what is above the last transaction that fits counts as new again, and clients drop
    // the repeats by id.
    const end = inProgress[count] ?? xmax;
    return `${head}.${(end - xmin).toString(36)}.${PACKED}${text}`;
  }
}

/** Transactions in progress that an id names one by one. */
const MAX_PLAIN = 64;

/** Begins the part that has more of them, packed. */
const PACKED = 'P';

/** Characters of it: an id stays below 2 kB, and a header holds 16. */
const MAX_PACKED_LENGTH = 1700;

/** A text from elsewhere may name one twice. */
const once = (ascending: readonly number[]): number[] => ascending.filter((xid, i) => xid !== ascending[i - 1]);
