/** Milliseconds for which an order is remembered: opening a stream mostly takes less. */
const REMEMBERED = 60_000;

/** Orders that are remembered at most: an app may disconnect all of its users at once. */
const MOST = 100_000;

/** An order of `djr.disconnect` or `djr.recheck`. */
export interface Order {
  readonly type: string;
  /** null: everyone. */
  readonly userId: string | null;
  /** null: every topic. */
  readonly topic: string | null;
}

const keyOf = ({ type, userId, topic }: Order): string => JSON.stringify([type, userId, topic]);

/** Remembers the latest orders, for streams that are being opened: such a stream was not yet there to be ended or checked again. */
export class Orders {
  /** When each order came last, in `performance.now()`; the oldest first. */
  readonly #times = new Map<string, number>();
  /** When the newest of the forgotten orders came. */
  #forgotten = Number.NEGATIVE_INFINITY;

  add(order: Order): void {
    const now = performance.now();
    for (const [key, at] of this.#times) {
      if (now - at < REMEMBERED && this.#times.size < MOST) break;
      this.#times.delete(key);
      this.#forgotten = at;
    }
    const key = keyOf(order);
    this.#times.delete(key);
    this.#times.set(key, now);
  }

  /** Whether an order has come since then for streams of this user, or for any of these topics. True if too much was forgotten to know. */
  concern(userId: string | null, topics: readonly string[], since: number): boolean {
    if (since <= this.#forgotten) return true;
    if (this.#times.size === 0) return false;
    const came = (order: Order) => (this.#times.get(keyOf(order)) ?? Number.NEGATIVE_INFINITY) >= since;
    if (came({ type: 'disconnect', userId, topic: null })) return true;
    if (topics.length === 0) return false;
    const whose = userId === null ? [null] : [null, userId];
    return whose.some((user) => [null, ...topics].some((topic) => came({ type: 'recheck', userId: user, topic })));
  }
}
