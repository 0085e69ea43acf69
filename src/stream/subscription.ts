import type { Envelope } from '../event/envelope.js';
import { isPromiseLike } from '../lib/deadline.js';
import type { Subscriber } from './hooks.js';

/** Events that one asynchronous subscriber has in hand at the same time, and that may wait for it. */
export const MAX_IN_HAND = 100;
export const MAX_WAITING = 10_000;

export interface SubscriptionOptions {
  subscriber: Subscriber;
  /** Milliseconds after which an event that the subscriber has not settled gives its place to the next. */
  timeout: number;
  onFailed(envelope: Envelope, error: unknown): void;
  /** Too many waited: the subscriber does not get this one. */
  onDropped(envelope: Envelope): void;
}

/**
 * One subscriber, with a bound on what it has in hand. A subscriber that returns nothing has none; one that returns promises
 * gets further events when earlier ones are settled. One that never settles is no reason to wait longer than the time-out.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  /** Those of the events in hand. */
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: Envelope[] = [];
  #ended = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Gives the subscriber the event, now or when there is a place. It neither waits nor throws. */
  call(envelope: Envelope): void {
    if (this.#timers.size < MAX_IN_HAND) this.#run(envelope);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(envelope);
    else this.#options.onDropped(envelope);
  }

  /** The subscriber gets none of the events that wait. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
  }

  #run(envelope: Envelope): void {
    const { onFailed, subscriber, timeout } = this.#options;
    try {
      const answer = subscriber(envelope.toEvent());
      if (!isPromiseLike(answer)) return;
      const timer = setTimeout(() => this.#free(timer), timeout);
      timer.unref();
      this.#timers.add(timer);
      Promise.resolve(answer)
        .catch((error: unknown) => onFailed(envelope, error))
        .finally(() => this.#free(timer));
    } catch (error) {
      onFailed(envelope, error);
    }
  }

  /** Once for each event: it is settled, or its time is over. */
  #free(timer: NodeJS.Timeout): void {
    if (!this.#timers.delete(timer)) return;
    clearTimeout(timer);
    while (!this.#ended && this.#timers.size < MAX_IN_HAND && this.#waiting.length > 0)
      this.#run(this.#waiting.shift()!);
  }
}
