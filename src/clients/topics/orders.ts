/** Milliseconds for which an order is remembered: longer than the login of most streams takes. */
const REMEMBERED = 60_000;

/** What `djr.disconnect` or `djr.recheck` ordered. */
export interface Order {
  readonly type: string;
  /** null: everyone. */
  readonly userId: string | null;
  /** null: every topic, or none in particular. */
  readonly topic: string | null;
}

const keyOf = ({ type, userId, topic }: Order): string => JSON.stringify([type, userId, topic]);

/** The orders of late: a stream that was being opened when one came was not there to be ended or asked again. */
export class Orders {
  /** When each came last, `performance.now()`; the oldest first. */
  readonly #times = new Map<string, number>();
  /** When the newest of those came that are not remembered. */
  #forgotten = Number.NEGATIVE_INFINITY;

  add(order: Order): void {
    const now = performance.now();
    for (const [key, at] of this.#times) {
      if (now - at < REMEMBERED) break;
      this.#times.delete(key);
      this.#forgotten = at;
    }
    const key = keyOf(order);
    this.#times.delete(key);
    this.#times.set(key, now);
  }

  /** Whether one has come since then for this user's streams, or for any of these topics of theirs. */
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
