import type { ActivityCounter } from '../activity/counter.js';
import type { Hub } from '../clients/hub.js';
import type { Envelope } from '../event/envelope.js';
import type { Head } from './head.js';
import type { History } from './history.js';
import type { Hooks } from './hooks.js';

export interface DeliveryOptions {
  head: Head;
  history: History;
  hooks: Hooks;
  hub: Hub;
  activity: ActivityCounter;
  /** Whether there is an `onReceive`: events of before the start must pass it, too. */
  hasOnReceive: boolean;
  /** What `djr.disconnect` or `djr.recheck` ordered; no client and no hook sees it. */
  order(envelope: Envelope): void;
  /** It goes to subscribers and clients now. @param createdAt - milliseconds since 1970 */
  onDelivered(createdAt: number): void;
}

/** Events of before the start that `onReceive` sees, how many of them at once, and for how many milliseconds. */
const WARM_EVENTS = 1000;
const WARM_BATCH = 100;
const WARM_TIME = 1000;

/** The way of one event through an instance: from the feed by `onReceive` to history, subscribers and hub. */
export class Delivery {
  /** The stored event that was delivered last. */
  newest: Envelope | undefined;
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** The next event of the feed. Resolves, where it takes time, when the one behind it may come. */
  deliver(envelope: Envelope): void | Promise<void> {
    if (envelope.xid !== null) this.newest = envelope;
    if (envelope.scope === 'control') {
      this.#options.order(envelope);
      return;
    }
    const received = this.#options.hooks.receive(envelope);
    if (received instanceof Promise) return received.then((event) => this.#pass(event));
    this.#pass(received);
  }

  #pass(envelope: Envelope | null): void {
    if (envelope === null) return;
    const { head, history, hooks, hub, onDelivered, activity } = this.#options;
    const item = head.next(envelope);
    // Who was not there when it came does not get it: it was published so.
    if (!envelope.unstored) history.push(item);
    activity.dispatched(envelope);
    onDelivered(envelope.createdAt);
    hooks.emit(envelope);
    hub.deliver(item);
  }

  /**
   * Puts what was published before the start into the history. `onReceive` has to see it first: as its answers take time, it
   * sees the newest only, and storage has the rest for clients that ask.
   *
   * @returns how many of the newest the history knows of now
   */
  async remember(stored: readonly Envelope[]): Promise<number> {
    const { hasOnReceive, hooks } = this.#options;
    if (!hasOnReceive) {
      for (const envelope of stored) this.#keep(envelope);
      return stored.length;
    }
    const received: (Envelope | null)[] = [];
    const end = performance.now() + WARM_TIME;
    while (received.length < Math.min(stored.length, WARM_EVENTS) && performance.now() < end) {
      const behind = stored.length - received.length;
      const batch = stored.slice(Math.max(0, behind - WARM_BATCH), behind);
      const answers = batch.map((envelope) => (envelope.scope === 'control' ? null : hooks.receive(envelope)));
      received.unshift(...(await Promise.all(answers)));
    }
    for (const envelope of received) if (envelope) this.#keep(envelope);
    return received.length;
  }

  #keep(envelope: Envelope): void {
    const { head, history } = this.#options;
    if (envelope.scope !== 'control') history.push(head.next(envelope));
  }
}
