import { Histogram } from '../lib/histogram.js';
import type { Meter } from '../lib/meter.js';

/** How many lags of one period are kept. If there are more, only the last ones count. */
const KEPT = 1024;

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Measures how long events take from their insert to their delivery. It keeps one number for each event, and sorts them only when asked. */
export class Lag {
  readonly #last = new Float64Array(KEPT);
  readonly #seconds = new Histogram(BUCKETS);
  #count = 0;

  /** @param milliseconds - between the insert by the database's clock and now by this machine's; a negative time counts as 0 */
  record(milliseconds: number): void {
    const lag = Math.max(0, milliseconds);
    this.#last[this.#count % KEPT] = lag;
    this.#count += 1;
    this.#seconds.observe(lag / 1000);
  }

  /** The 99th percentile since the last call, in milliseconds; null if no event came. */
  take(): number | null {
    const kept = this.#last.slice(0, Math.min(this.#count, KEPT)).sort();
    this.#count = 0;
    return kept[Math.ceil(kept.length * 0.99) - 1] ?? null;
  }

  metrics(meter: Meter): void {
    meter.histogram(
      'djr_event_lag_seconds',
      "From an event's insert to this instance delivering it, between the database's clock and this one's",
      this.#seconds,
    );
  }
}
