import type { ActivityCounter, ActivityLevel } from '../activity/counter.js';
import type { Hub } from '../clients/hub.js';
import type { Presence } from '../clients/topics/presence.js';
import type { Topics } from '../clients/topics/topics.js';
import type { Consumers } from '../consume/consumers.js';
import type { Envelope } from '../event/envelope.js';
import { resetFrame } from '../event/frame.js';
import type { Item } from '../event/item.js';
import type { Lag } from '../instance/lag.js';
import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import type { Downstream } from './downstream.js';
import type { History } from './history.js';
import type { Hooks } from './hooks.js';

export interface DeliveryOptions {
  /** Numbers events, and knows the current position of the stream. */
  order: { next(envelope: Envelope): Item; readonly position: string };
  history: History;
  hooks: Hooks;
  hub: Hub;
  /** Carries out the orders of `djr.disconnect` and `djr.recheck`. */
  topics: Topics;
  /** Undefined: presence is off. */
  presence: Presence | undefined;
  /** Consumers read events from storage; each delivery wakes them. */
  consumers: Consumers;
  activity: ActivityCounter;
  lag: Lag;
  logger: Logger;
}

/** At the start `onReceive` sees up to so many earlier events, so many at once, and for at most so many milliseconds. */
const WARM_EVENTS = 1000;
const WARM_BATCH = 100;
const WARM_TIME = 1000;

/** Takes each event through the instance: from the source to `onReceive`, then to history, subscribers and hub. */
export class Delivery implements Downstream {
  newest: Envelope | undefined;
  /** How many events the source has delivered since the start. */
  count = 0;
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  get history(): History {
    return this.#options.history;
  }

  deliver(envelope: Envelope): void | Promise<void> {
    this.count += 1;
    this.#options.consumers.wake(envelope);
    if (envelope.xid !== null) this.newest = envelope;
    if (envelope.scope === 'control') {
      this.#order(envelope);
      return;
    }
    const received = this.#options.hooks.receive(envelope);
    if (received instanceof Promise) return received.then((event) => this.#pass(event));
    this.#pass(received);
  }

  /** Carries out an order. Other events do not wait for it, as it may ask the app who may hear which topic. */
  #order(envelope: Envelope): void {
    const { logger, topics } = this.#options;
    topics.order(envelope).catch((err: unknown) => {
      logger.error({ err, event: envelope.id }, `${envelope.type} could not be carried out whole`);
    });
  }

  #pass(envelope: Envelope | null): void {
    if (envelope === null) return;
    const { activity, history, hooks, hub, lag, order } = this.#options;
    const item = order.next(envelope);
    // An event with `store => false` is only for clients that are connected now, so history does not keep it.
    if (!envelope.unstored) history.push(item);
    activity.dispatched(envelope);
    lag.record(Date.now() - envelope.createdAt);
    hooks.emit(envelope);
    hub.deliver(item);
  }

  /** With an `onReceive` only the newest events are remembered, as its answers take time. A resume reads the others from storage. */
  async remember(stored: readonly Envelope[]): Promise<number> {
    const { hooks } = this.#options;
    if (!hooks.hasReceive) {
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
    if (envelope.scope !== 'control') this.history.push(this.#options.order.next(envelope));
  }

  setActivity(level: ActivityLevel): void {
    this.#options.activity.level = level;
  }

  presenceChanged(topics: readonly string[] | null): void {
    this.#options.presence?.heard(topics);
  }

  reconnected(): void {
    this.#options.presence?.resync();
  }

  replaced(): void {
    const { hub, order } = this.#options;
    const frame = resetFrame('the database was replaced or restored', order.position);
    for (const client of hub.clients) client.write(frame);
  }

  interrupted(): void {
    for (const client of this.#options.hub.clients) client.close('interrupted');
  }

  metrics(meter: Meter): void {
    const { hooks, hub } = this.#options;
    meter.counter('djr_events_total', 'Events that this instance has taken in', () => this.count);
    meter.counters('djr_deliveries_total', 'Events for clients, by what became of them', 'result', () => ({
      sent: hub.delivered,
      suppressed: hooks.suppressed.beforeSend,
      failed: hooks.errors.beforeSend,
    }));
  }
}
