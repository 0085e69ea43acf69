/**
 * How far the stream has come: a `pg_snapshot`, the epoch that its transaction ids belong to, and the database's
 * time when it was taken. All events visible in it have been handed on (docs/delivery.md).
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
    const inProgress = match[3] ? match[3].split(',').map(Number) : [];
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

  /** `epoch.time.xmin.span[.gap…]` in base 36: what a frame's id carries. */
  get packed(): string {
    this.#packed ??= this.#pack();
    return this.#packed;
  }

  static unpack(parts: readonly string[]): Frontier | undefined {
    const [epoch, ...rest] = parts;
    const numbers = rest.map((part) => (/^[0-9a-z]{1,11}$/.test(part) ? Number.parseInt(part, 36) : Number.NaN));
    const [time, xmin, span, ...gaps] = numbers;
    if (!epoch || !/^[0-9a-z]{1,16}$/.test(epoch) || time === undefined || xmin === undefined || span === undefined) {
      return undefined;
    }
    let last = xmin;
    const inProgress = gaps.map((gap) => (last += gap));
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

  #pack(): string {
    // Hundreds of open transactions would make an id that no header holds. Claiming less is always right: what is
    // above xmin counts as new again, and the client drops the repeats by id.
    const exact = this.inProgress.length <= MAX_PACKED;
    const numbers = [this.time, this.xmin, exact ? this.xmax - this.xmin : 0];
    let last = this.xmin;
    for (const xid of exact ? this.inProgress : []) {
      numbers.push(xid - last);
      last = xid;
    }
    return `${this.epoch}.${numbers.map((value) => value.toString(36)).join('.')}`;
  }
}

const MAX_PACKED = 64;
