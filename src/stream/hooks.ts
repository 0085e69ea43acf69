import type { ActivityCounter } from '../activity/counter.js';
import type { ClientInfo } from '../clients/client.js';
import { fits } from '../event/audience.js';
import { type Envelope, isType } from '../event/envelope.js';
import type { Event, EventMap, EventOf, EventsOf } from '../event/event.js';
import type { Item } from '../event/item.js';
import { isReservedType } from '../event/reserved-types.js';
import { isPromiseLike, within } from '../lib/deadline.js';
import { LogLimit } from '../lib/log-limit.js';
import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import { Subscription } from './subscription.js';

type Awaitable<T> = T | Promise<T>;
export type OnReceive<Events extends EventsOf<Events> = EventMap> = (
  event: EventOf<Events>,
) => Awaitable<EventOf<Events> | null>;
export type BeforeSend<Events extends EventsOf<Events> = EventMap> = (
  event: EventOf<Events>,
  client: ClientInfo,
) => Awaitable<EventOf<Events> | null>;
export type Subscriber = (event: Event) => unknown;

export interface HooksOptions {
  onReceive?: OnReceive | undefined;
  beforeSend?: BeforeSend | undefined;
  /** Milliseconds a hook may take for one event. */
  timeout: number;
  logger: Logger;
  /** Counts errors for the events at which they happened. */
  activity: ActivityCounter;
}

/**
 * Runs the app's hooks and subscribers. If a hook throws, takes too long or returns something that is no event, that one event goes no
 * further (for `beforeSend`: not to that client). The failure is counted and logged with the event's id, and never ends the process.
 */
export class Hooks {
  /** How many errors there were, by hook. */
  readonly errors = { onReceive: 0, beforeSend: 0, subscriber: 0 };
  /** How many events a hook stopped by returning null; `beforeSend` counts for each client. */
  readonly suppressed = { onReceive: 0, beforeSend: 0 };
  /** How many events a subscriber did not get, because too many waited for it. */
  dropped = 0;
  readonly #options: HooksOptions;
  readonly #log: LogLimit;
  readonly #subscribers = new Map<string | null, Set<Subscription>>();
  #subscriptions = 0;

  constructor(options: HooksOptions) {
    this.#options = options;
    this.#log = new LogLimit(options.logger);
  }

  /** Whether there is an `onReceive`, which has to see every event. */
  get hasReceive(): boolean {
    return this.#options.onReceive !== undefined;
  }

  /** Runs `onReceive`. @returns the event that goes on, or null if it goes no further */
  receive(envelope: Envelope): Awaitable<Envelope | null> {
    const hook = this.#options.onReceive;
    if (!hook) return envelope;
    return this.#guard('onReceive', envelope, hook, () => this.#options.activity.receiveFailed(envelope));
  }

  /** Runs `beforeSend` for one client; undefined if the app has no such hook, so that it costs nothing then. */
  get beforeSend(): ((item: Item, client: ClientInfo) => Awaitable<Envelope | null>) | undefined {
    const hook = this.#options.beforeSend;
    if (!hook) return undefined;
    return ({ envelope }, client) =>
      this.#guard(
        'beforeSend',
        envelope,
        (event) => hook(event, client),
        () => this.#options.activity.sendFailed(envelope, client.userId),
      );
  }

  subscribe(type: string | null, subscriber: Subscriber): () => void {
    let subscribers = this.#subscribers.get(type);
    if (!subscribers) {
      subscribers = new Set();
      this.#subscribers.set(type, subscribers);
    }
    this.#subscriptions += 1;
    const name = `subscriber ${this.#subscriptions}`;
    const subscription = new Subscription({
      subscriber,
      timeout: this.#options.timeout,
      onFailed: (envelope, err) => this.#failed('subscriber', envelope, err, name),
      onDropped: ({ id, type }) => {
        this.dropped += 1;
        const context = { event: id, type, dropped: this.dropped };
        this.#log.say('error', `dropped ${name}`, context, 'a subscriber is too slow: it does not get this event');
      },
    });
    subscribers.add(subscription);
    return () => {
      subscribers.delete(subscription);
      subscription.end();
    };
  }

  /** Calls the subscribers of all events and those of this type. It does not wait for them. */
  emit(envelope: Envelope): void {
    if (this.#subscribers.size === 0) return;
    for (const type of [null, envelope.type]) {
      for (const subscription of this.#subscribers.get(type) ?? []) subscription.call(envelope);
    }
  }

  metrics(meter: Meter): void {
    meter.counter('djr_events_suppressed_total', 'Events that onReceive stopped', () => this.suppressed.onReceive);
    meter.counters('djr_hook_errors_total', 'Errors of hooks and subscribers', 'hook', () => this.errors);
    meter.counter(
      'djr_subscriber_dropped_total',
      'Events that a subscriber did not get, as too many waited for it',
      () => this.dropped,
    );
  }

  #guard(
    name: 'onReceive' | 'beforeSend',
    envelope: Envelope,
    hook: (event: Event) => Awaitable<Event | null>,
    onFailed: () => void,
  ): Awaitable<Envelope | null> {
    const finish = (answer: unknown): Envelope | null => {
      if (answer === null) {
        this.suppressed[name] += 1;
        return null;
      }
      assertEvent(answer);
      if (answer.type !== envelope.type && isReservedType(answer.type)) {
        throw new Error(`a hook must not give an event the reserved type ${answer.type}`);
      }
      return envelope.withEvent(answer);
    };
    const failed = (err: unknown): null => {
      onFailed();
      this.#failed(name, envelope, err);
      return null;
    };
    try {
      const answer: unknown = hook(envelope.toEvent());
      if (!isPromiseLike(answer)) return finish(answer);
      return within(this.#options.timeout, answer).then(finish).catch(failed);
    } catch (err) {
      return failed(err);
    }
  }

  /** Counts and logs a failure. A hook that fails for every event must not fill the log, so each type of event is logged only now and then. */
  #failed(hook: keyof Hooks['errors'], envelope: Envelope, err: unknown, name: string = hook): void {
    this.errors[hook] += 1;
    const { id, type } = envelope;
    this.#log.say('error', `${name} ${type}`, { err, event: id, type, hook }, `${hook} failed for event ${id}`);
  }
}

/** Checks what a hook returned. A hook is the app's code, and its result goes into frames, so it must be an event. */
function assertEvent(value: unknown): asserts value is Event {
  const event = value as Partial<Event> | undefined;
  if (typeof event !== 'object' || event === null || !isType(event.type)) {
    throw new Error('a hook must return the event, or null to stop it');
  }
  const { detail, scope, userId, topic = null } = event;
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) {
    throw new Error('the detail that a hook returns must be an object');
  }
  // A hook that builds a new event may forget the user. That must not make the event public.
  if ((scope as string) === 'control' || !fits(scope, userId, topic)) {
    throw new Error(
      'the scope, the userId and the topic that a hook returns must fit each other: a text for scope user',
    );
  }
}
