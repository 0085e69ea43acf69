import { setImmediate } from 'node:timers/promises';

/**
 * Gives clients turns to read. Rows of a sweep, and events that have waited for a slow `onReceive`, are delivered one right after the
 * other: thousands of them would exceed a client's bound before the client can read any.
 */
export class Turns {
  readonly #each: number;
  #bytes = 0;

  /** @param each - bytes of events after which clients get a turn */
  constructor(each: number) {
    this.#each = each;
  }

  /**
   * @param bytes - the size of an event that is, or is being, delivered
   * @returns a promise if the next event must wait for this one, or for the clients
   */
  after(bytes: number, delivered?: void | Promise<void>): void | Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes < this.#each) return delivered;
    this.#bytes = 0;
    return Promise.resolve(delivered).then(() => setImmediate());
  }
}
