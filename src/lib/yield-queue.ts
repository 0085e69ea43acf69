/** Pieces of work a turn: some milliseconds, in which nothing else happens. */
const A_TURN = 8;

/**
 * Work in pieces that many do at once: a few pieces a turn of the event loop, so that live events, new connections and
 * heartbeats come in between, however many clients catch up.
 */
export class YieldQueue {
  #waiting: (() => void)[] = [];
  #scheduled = false;

  /** Resolves when the next piece may be done; first come, first served. */
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
