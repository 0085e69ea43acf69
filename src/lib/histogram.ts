/** Counts observations by their size. */
export class Histogram {
  /** Upper bounds, ascending: a bucket counts what is at most its bound, and above the one before. */
  readonly bounds: readonly number[];
  /** One for each bound, and one more for what is above the last. */
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
