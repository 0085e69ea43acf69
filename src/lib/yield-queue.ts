/** Pieces of work in one turn; they take some milliseconds, in which nothing else happens. */
const A_TURN = 8;

/**
 * Spreads pieces of work over turns of the event loop, a few in each, so that live events, new connections and heartbeats come in between,
 * however many clients resume at once.
 */
export class YieldQueue {
  #waiting: (() => void)[] = [];
  #scheduled = false;

  /** Resolves when the caller may do its next piece; first come, first served. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const resolve of this.#waiting.splice(0, A_TURN)) resolve();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
