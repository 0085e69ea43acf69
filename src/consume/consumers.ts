import type { Logger } from '../lib/logger.js';
import type { Pool } from '../postgres/connect.js';
import type { BatchOptions } from './batch.js';
import { Consumer } from './consumer.js';
import { resolveConsumeOptions } from './options.js';

export interface ConsumersOptions {
  pool(): Pool;
  logger: Logger;
  /** Milliseconds that a batch may take on when it is to stop. */
  grace: number;
}

/** What `realtime.consume` returns. */
export interface Consumption {
  readonly name: string;
  /** Takes no further batch; resolves when the one that runs has ended, after `shutdownGrace` at the latest. */
  stop(): Promise<void>;
}

/** The consumers that this instance runs. */
export class Consumers {
  readonly #options: ConsumersOptions;
  readonly #running = new Set<Consumer>();
  /** By name, of those that have stopped as well. */
  readonly #ended = new Map<string, { events: number; failures: number }>();

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  start(name: string, handler: BatchOptions['handler'], options: unknown): Consumption {
    const resolved = resolveConsumeOptions(name, handler, options);
    const { grace, logger, pool } = this.#options;
    const consumer = new Consumer({ ...resolved, pool, logger, name, handler });
    this.#running.add(consumer);
    return { name, stop: () => this.#stop(consumer, grace) };
  }

  /** For each event that is delivered: nothing where nobody consumes. */
  wake(event: { readonly type: string; readonly topic: string | null }): void {
    for (const consumer of this.#running) consumer.wake(event.type, event.topic);
  }

  /** The runtime listens from now on: what was published before is not delivered to it. */
  look(): void {
    for (const consumer of this.#running) consumer.look();
  }

  /** Of each consumer that ran here: events that were handled, batches that failed. */
  count(what: 'events' | 'failures'): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [name, ended] of this.#ended) counts[name] = ended[what];
    for (const consumer of this.#running) counts[consumer.name] = (counts[consumer.name] ?? 0) + consumer[what];
    return counts;
  }

  async stop(): Promise<void> {
    // Less than the pool is given to end.
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
