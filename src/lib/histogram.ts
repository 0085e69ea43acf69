/** Counts observations by their size. */
export class Histogram {
  /** The upper bounds, ascending: a bucket counts values up to its bound and above the bound before it. */
  readonly bounds: readonly number[];
  /** A count for each bound, and one more for values above the last bound. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.sum += value;
  }
}
