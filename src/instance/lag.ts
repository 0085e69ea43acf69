/** Events of one period whose lag is kept: more than that, and the last ones speak for all. */
const KEPT = 1024;

/** How long events took from their insert to being delivered. One number an event, and sorted when somebody asks. */
export class Lag {
  readonly #last = new Float64Array(KEPT);
  #count = 0;

  /** @param milliseconds - between the database's clock and this machine's; less than nothing is nothing. */
  record(milliseconds: number): void {
    this.#last[this.#count % KEPT] = Math.max(0, milliseconds);
    this.#count += 1;
  }

  /** The 99th percentile since the last call, in milliseconds; null where no event came. */
  take(): number | null {
    const kept = this.#last.slice(0, Math.min(this.#count, KEPT)).sort();
    this.#count = 0;
    return kept[Math.ceil(kept.length * 0.99) - 1] ?? null;
  }
}
