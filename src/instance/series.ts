/** The figures of an instance at one moment: totals since its start, and current values. */
export interface Reading {
  readonly connections: number;
  readonly events: number;
  readonly deliveries: number;
  readonly errors: number;
  /** The 99th percentile of the lag since the last reading, milliseconds; null: no event came. */
  readonly lagMs: number | null;
  /** How full the NOTIFY queue is, 0 to 1; null: not known. */
  readonly queueUsage: number | null;
}

/** What happened between two readings: a point of each chart. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly connections: number;
  readonly eventsPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** Errors in this period: of hooks and subscribers, and messages that could not be read. */
  readonly errors: number;
  readonly lagMs: number | null;
  readonly queueUsage: number | null;
}

/** Samples of the last ten minutes, with a reading every 5 s. */
const MAX_SAMPLES = 120;

/** The last minutes of one instance in memory, for the charts of the admin's overview. */
export class Series {
  readonly #samples: Sample[] = [];
  #last: { at: number; reading: Reading };

  constructor(first: Reading, now = Date.now()) {
    this.#last = { at: now, reading: first };
  }

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  add(reading: Reading, now = Date.now()): void {
    const { at, reading: before } = this.#last;
    // If the clock was set back, the time between the two readings is not known.
    const seconds = Math.max(0.001, (now - at) / 1000);
    this.#last = { at: now, reading };
    this.#samples.push({
      at: now,
      connections: reading.connections,
      eventsPerSecond: (reading.events - before.events) / seconds,
      deliveriesPerSecond: (reading.deliveries - before.deliveries) / seconds,
      errors: reading.errors - before.errors,
      lagMs: reading.lagMs,
      queueUsage: reading.queueUsage,
    });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }
}
