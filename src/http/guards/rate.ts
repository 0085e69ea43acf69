const SECOND = 1000;

/** How many keys are counted in one span. When they are more, all counts are forgotten and a new span begins: nobody is refused for it. */
const MAX_KEYS = 50_000;

/** Counts the requests of each key in spans of a fixed length, and says which request is one too many. */
export class Rate {
  readonly #most: number;
  readonly #span: number;
  readonly #made = new Map<string, number>();
  #until = 0;

  /**
   * @param most - how many requests of one key are allowed in a span
   * @param span - the length of a span in milliseconds
   */
  constructor(most: number, span = SECOND) {
    this.#most = most;
    this.#span = span;
  }

  /** Counts a request of this key. @returns false when it is one too many */
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
