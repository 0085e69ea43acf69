import type { Logger } from '../lib/logger.js';
import type { Meter } from '../lib/meter.js';
import { asking } from '../postgres/ask.js';
import type { Database } from '../postgres/database.js';
import type { BatchOptions } from './batch.js';
import { Consumer } from './consumer.js';
import { type ConsumerRow, readConsumers } from './consumer-list.js';
import { resolveConsumeOptions } from './options.js';

export interface ConsumersOptions {
  database: Database;
  source: {
    /** Whether the database has consumers, as far as this instance knows. */
    readonly hasConsumers: boolean;
  };
  logger: Logger;
  /** Milliseconds that a running batch may still take when the instance stops. */
  grace: number;
}

/** What `realtime.consume` returns. */
export interface Consumption {
  readonly name: string;
  /** Takes no further batch. Resolves when the running one has ended, after `shutdownGrace` at the latest. */
  stop(): Promise<void>;
}

/** Milliseconds that the database may take to say how far consumers are, and milliseconds for which the answer is kept. */
const ANSWER_TIMEOUT = 2000;
const FRESH = 1000;

/** The consumers that this instance runs. */
export class Consumers {
  readonly #options: ConsumersOptions;
  readonly #running = new Set<Consumer>();
  /** The last answer of the database about all consumers. */
  #read: Promise<ConsumerRow[]> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  /** The totals of consumers that have stopped, by name. */
  readonly #ended = new Map<string, { events: number; failures: number }>();

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  consume(name: string, handler: BatchOptions['handler'], options: unknown): Consumption {
    const resolved = resolveConsumeOptions(name, handler, options);
    const { database, grace, logger } = this.#options;
    const pool = () => database.pool;
    const consumer = new Consumer({ ...resolved, pool, logger, name, handler });
    this.#running.add(consumer);
    return { name, stop: () => this.#stop(consumer, grace) };
  }

  /** Called for each event that is delivered; costs nothing if there are no consumers. */
  wake(event: { readonly type: string; readonly topic: string | null }): void {
    for (const consumer of this.#running) consumer.wake(event.type, event.topic);
  }

  /** Events are delivered from now on. Every consumer looks once, as earlier events are not announced. */
  start(): void {
    for (const consumer of this.#running) consumer.look();
  }

  /** For each consumer that ran here how many events were handled, or how many batches failed. */
  count(what: 'events' | 'failures'): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [name, ended] of this.#ended) counts[name] = ended[what];
    for (const consumer of this.#running) counts[consumer.name] = (counts[consumer.name] ?? 0) + consumer[what];
    return counts;
  }

  /** Metrics of all consumers of the database, and of what those of this process have done. */
  metrics(meter: Meter): void {
    const gauge = (name: string, help: string, value: (row: ConsumerRow) => number) =>
      meter.gauges(name, help, 'consumer', async () =>
        Object.fromEntries((await this.#rows()).map((row) => [row.name, value(row)])),
      );
    gauge('djr_consumer_lag_events', 'Events that a consumer has not had, up to 100,000', ({ lag }) => lag);
    gauge(
      'djr_consumer_age_seconds',
      'Since the oldest of them was inserted; 0: it has had all',
      ({ age }) => age ?? 0,
    );
    gauge('djr_consumer_overtaken', '1 while a consumer waits for djr.reset_consumer', ({ overtaken }) =>
      Number(overtaken !== null),
    );
    meter.counters('djr_consumer_events_total', 'Events that a consumer in this process has handled', 'consumer', () =>
      this.count('events'),
    );
    meter.counters(
      'djr_consumer_failures_total',
      'Batches that failed in the handler of this process',
      'consumer',
      () => this.count('failures'),
    );
  }

  /** Asks the database, unless it has no consumers. Without an answer the metrics have no value. */
  #rows(): Promise<ConsumerRow[]> {
    const { database, source } = this.#options;
    if (!source.hasConsumers) return Promise.resolve([]);
    if (!this.#read || performance.now() - this.#readAt > FRESH) {
      this.#readAt = performance.now();
      this.#read = readConsumers(asking(database.pool, ANSWER_TIMEOUT)).catch(() => []);
    }
    return this.#read;
  }

  async stop(): Promise<void> {
    // Less time than the pool has to end.
    const grace = this.#options.grace * 0.8;
    await Promise.all([...this.#running].map((consumer) => this.#stop(consumer, grace)));
  }

  async #stop(consumer: Consumer, grace: number): Promise<void> {
    await consumer.stop(grace);
    if (!this.#running.delete(consumer)) return;
    const { events, failures } = this.#ended.get(consumer.name) ?? { events: 0, failures: 0 };
    this.#ended.set(consumer.name, { events: events + consumer.events, failures: failures + consumer.failures });
  }
}
