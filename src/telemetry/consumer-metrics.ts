import { Counter, Gauge, type Registry } from 'prom-client';
import { type ConsumerRow, readConsumers } from '../consume/consumer-list.js';
import type { Consumers } from '../consume/consumers.js';
import { asking } from '../postgres/ask.js';
import type { Database } from '../source/postgres/postgres-source.js';

export interface ConsumerMetricsSource {
  /** Those that run in this process. */
  consumers: Consumers;
  /** Undefined before the start. */
  database(): Database | undefined;
}

/** Milliseconds that the database has to say how far consumers are, and for which that counts. */
const ANSWER_TIMEOUT = 2000;
const FRESH = 1000;

/** Consumers of the database, whoever runs them, and what those of this process have done. Nothing is asked where there are none. */
export function registerConsumerMetrics(registry: Registry, { consumers, database }: ConsumerMetricsSource): void {
  let read: Promise<ConsumerRow[]> | undefined;
  let since = Number.NEGATIVE_INFINITY;
  const rows = (): Promise<ConsumerRow[]> => {
    const source = database();
    if (!source?.reporter.hasConsumers) return Promise.resolve([]);
    if (!read || performance.now() - since > FRESH) {
      since = performance.now();
      // Where it has no answer there is no value.
      read = readConsumers(asking(source.pool, ANSWER_TIMEOUT)).catch(() => []);
    }
    return read;
  };
  const gauge = (name: string, help: string, value: (row: ConsumerRow) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      labelNames: ['consumer'],
      async collect() {
        const found = await rows();
        this.reset();
        for (const row of found) this.set({ consumer: row.name }, value(row));
      },
    });
  const counter = (name: string, help: string, what: 'events' | 'failures') =>
    new Counter({
      name,
      help,
      registers: [registry],
      labelNames: ['consumer'],
      collect() {
        this.reset();
        for (const [consumer, count] of Object.entries(consumers.count(what))) this.inc({ consumer }, count);
      },
    });
  gauge('djr_consumer_lag_events', 'Events that a consumer has not had, up to 100,000', ({ lag }) => lag);
  gauge('djr_consumer_age_seconds', 'Since the oldest of them was inserted; 0: it has had all', ({ age }) => age ?? 0);
  gauge('djr_consumer_overtaken', '1 while a consumer waits for djr.reset_consumer', ({ overtaken }) =>
    Number(overtaken !== null),
  );
  counter('djr_consumer_events_total', 'Events that a consumer in this process has handled', 'events');
  counter('djr_consumer_failures_total', 'Batches that failed in the handler of this process', 'failures');
}
