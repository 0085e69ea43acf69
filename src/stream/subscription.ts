import type { Envelope } from '../event/envelope.js';
import { isPromiseLike } from '../lib/deadline.js';
import type { Subscriber } from './hooks.js';

/** Events that one asynchronous subscriber handles at the same time, and events that may wait for it. */
export const MAX_IN_HAND = 100;
export const MAX_WAITING = 10_000;

export interface SubscriptionOptions {
  subscriber: Subscriber;
  /** Milliseconds after which an event whose promise has not settled makes room for the next one. */
  timeout: number;
  onFailed(envelope: Envelope, error: unknown): void;
  /** Too many events waited: the subscriber does not get this one. */
  onDropped(envelope: Envelope): void;
}

/**
 * One subscriber, with a bound on the events that it handles at the same time. A subscriber that returns no promise handles them one
 * after the other. For one that returns promises, further events wait until earlier promises have settled or their time-out is over.
 */
export class Subscription {
  readonly #options: SubscriptionOptions;
  /** The time-outs of the events that are being handled. */
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: Envelope[] = [];
  #ended = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** Gives the subscriber the event, now or when there is room. It neither waits nor throws. */
  call(envelope: Envelope): void {
    if (this.#timers.size < MAX_IN_HAND) this.#run(envelope);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(envelope);
    else this.#options.onDropped(envelope);
  }

  /** Ends the subscription: events that still wait are dropped. */
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

  /** Called when an event's promise has settled or its time is over; the second call does nothing. */
  #free(timer: NodeJS.Timeout): void {
    if (!this.#timers.delete(timer)) return;
    clearTimeout(timer);
    while (!this.#ended && this.#timers.size < MAX_IN_HAND && this.#waiting.length > 0)
      this.#run(this.#waiting.shift()!);
  }
}
