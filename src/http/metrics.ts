import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Reply } from './reply.js';

/** Counters of the stages, read when somebody asks: counting costs delivery nothing more. */
export interface MetricsSource {
  /** Open streams. */
  connections(): number;
  /** Events written to clients since the start. */
  deliveries(): number;
  /** Events that this instance has taken in since the start. */
  events(): number;
  /** Streams that ended, by why. */
  closed: Readonly<Record<string, number>>;
  /** Requests refused, by status. */
  refused: Readonly<Record<number, number>>;
  /** Errors of hooks and subscribers, by which. */
  hookErrors: Readonly<Record<string, number>>;
  /** Messages on the channel that could not be read. */
  garbage(): number;
  history: { readonly length: number; readonly bytes: number };
  /** Of the database's side; undefined before the start. */
  database():
    | {
        readonly listening: boolean;
        readonly heard: boolean | undefined;
        readonly reconnects: number;
        readonly sweeps: number;
        readonly sweepAgeSeconds: number;
        readonly sweeping: boolean;
        readonly pruned: number;
        readonly activity: { readonly rows: number; readonly dropped: number; readonly waiting: number };
      }
    | undefined;
}

const LAG_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** What `GET metrics` answers: Prometheus text of one instance. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #lag: Histogram;

  constructor(source: MetricsSource) {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, read: () => number | undefined) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const value = read();
          if (value === undefined) this.reset();
          else this.set(value);
        },
      });
    const counter = (name: string, help: string, read: () => number) =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    const counters = (name: string, help: string, label: string, values: Readonly<Record<string, number>>) =>
      new Counter({
        name,
        help,
        registers,
        labelNames: [label],
        collect() {
          this.reset();
          for (const [key, value] of Object.entries(values)) this.inc({ [label]: key }, value);
        },
      });
    const database = source.database;

    gauge('djr_connections', 'Open streams', source.connections);
    counter('djr_events_total', 'Events that this instance has taken in', source.events);
    counter('djr_deliveries_total', 'Events written to clients', source.deliveries);
    counters('djr_connections_closed_total', 'Streams that ended, by why', 'reason', source.closed);
    counters(
      'djr_requests_refused_total',
      'Requests for a stream that were refused, by status',
      'status',
      source.refused,
    );
    counters('djr_hook_errors_total', 'Errors of hooks and subscribers', 'hook', source.hookErrors);
    counter('djr_garbage_total', 'Messages on the channel that could not be read', source.garbage);
    gauge('djr_history_events', 'Recent events in memory', () => source.history.length);
    gauge('djr_history_bytes', 'Bytes that they take, about', () => source.history.bytes);
    gauge('djr_listening', '1 while the listening connection is there', () => toNumber(database()?.listening));
    gauge('djr_listen_heard', '1 when the last probe was heard, 0 when a pooler is in the way', () =>
      toNumber(database()?.heard),
    );
    gauge('djr_delivery_sweeping', '1 while delivery is by sweeping, 0 while it is by NOTIFY', () =>
      toNumber(database()?.sweeping),
    );
    gauge('djr_sweep_age_seconds', 'Since the last sweep that succeeded', () => database()?.sweepAgeSeconds);
    counter('djr_sweeps_total', 'Sweeps that succeeded', () => database()?.sweeps ?? 0);
    counter('djr_reconnects_total', 'Listening connections after the first', () => database()?.reconnects ?? 0);
    counter(
      'djr_pruned_total',
      'Events that this instance deleted as past the retention',
      () => database()?.pruned ?? 0,
    );
    counter('djr_activity_rows_total', 'Rows of activity written', () => database()?.activity.rows ?? 0);
    counter(
      'djr_activity_dropped_total',
      'Steps of events that were not recorded: no place, or the database did not take them',
      () => database()?.activity.dropped ?? 0,
    );
    gauge('djr_activity_waiting', 'Events whose activity waits to be written', () => database()?.activity.waiting);
    this.#lag = new Histogram({
      name: 'djr_event_lag_seconds',
      help: "From an event's insert to this instance handing it on, between the database's clock and this one's",
      registers,
      buckets: LAG_BUCKETS,
    });
  }

  /** @param createdAt - milliseconds since 1970 */
  handedOn(createdAt: number): void {
    this.#lag.observe(Math.max(0, Date.now() - createdAt) / 1000);
  }

  async reply(): Promise<Reply> {
    return {
      status: 200,
      headers: { 'Content-Type': this.#registry.contentType, 'Cache-Control': 'no-store' },
      body: await this.#registry.metrics(),
    };
  }
}

const toNumber = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));
