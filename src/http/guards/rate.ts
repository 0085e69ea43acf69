const SECOND = 1000;

/** Keys that are remembered. With more of them in a span the next one begins early, and nobody is refused for it. */
const MAX_KEYS = 50_000;

/** How many requests each key has made within the span that runs. */
export class Rate {
  readonly #most: number;
  readonly #span: number;
  readonly #made = new Map<string, number>();
  #until = 0;

  /**
   * @param most - requests of one key in a span
   * @param span - milliseconds
   */
  constructor(most: number, span = SECOND) {
    this.#most = most;
    this.#span = span;
  }

  /** Counts a request in. @returns false when it is one too many */
  take(key: string): boolean {
    const now = performance.now();
    if (now >= this.#until || this.#made.size >= MAX_KEYS) {
      this.#made.clear();
      this.#until = now + this.#span;
    }
    const made = (this.#made.get(key) ?? 0) + 1;
    this.#made.set(key, made);
    return made <= this.#most;
  }
}
