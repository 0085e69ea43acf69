import type { Placed } from './reader.js';

interface Waiter {
  enough(placed: Placed): boolean;
  resolve(): void;
}

/** Whoever waits for a checkpoint. */
export class Waiters {
  #waiting: Waiter[] = [];

  /** Resolves when a checkpoint has come that is enough, or nothing comes any more. */
  wait(enough: (placed: Placed) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ enough, resolve }));
  }

  /** A checkpoint has come. */
  wake(placed: Placed): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (one.enough(placed)) one.resolve();
      else this.#waiting.push(one);
    }
  }

  /** Nothing comes any more. */
  end(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }
}
