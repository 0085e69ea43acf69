import type { Database } from './database/database.js';
import type { Feed } from './delivery/feed.js';
import type { History } from './delivery/history.js';
import type { Hooks } from './delivery/hooks.js';
import type { Hub } from './delivery/hub.js';
import { Lag } from './delivery/lag.js';
import { type Reading, Series } from './delivery/series.js';
import type { Tally } from './delivery/tally.js';
import type { Health } from './http/health.js';
import { Metrics } from './http/metrics.js';
import type { Streams } from './http/stream.js';
import type { ResolvedOptions } from './options.js';

export interface VitalsOptions {
  options: ResolvedOptions;
  hub: Hub;
  feed: Feed;
  hooks: Hooks;
  history: History;
  streams: Streams;
  tally: Tally;
  /** Undefined before the start. */
  database(): Database | undefined;
  stopping(): boolean;
}

/** What an instance knows of itself: health, metrics, and the series of its last minutes. */
export class Vitals {
  readonly metrics: Metrics;
  readonly series: Series;
  readonly #options: VitalsOptions;
  readonly #lag = new Lag();

  constructor(vitals: VitalsOptions) {
    this.#options = vitals;
    const { feed, history, hooks, hub, streams } = vitals;
    this.series = new Series(this.#now(null, null));
    this.metrics = new Metrics({
      connections: () => hub.size,
      deliveries: () => hub.delivered,
      events: () => feed.taken,
      closed: streams.closed,
      refused: streams.refused,
      hookErrors: hooks.errors,
      garbage: () => vitals.database()?.garbage ?? 0,
      history,
      database: () => this.#ofDatabase(),
    });
  }

  /** @param createdAt - milliseconds since 1970 */
  handedOn(createdAt: number): void {
    this.#lag.record(Date.now() - createdAt);
    this.metrics.handedOn(createdAt);
  }

  /** What the instance says of itself now; it is the next point of its series as well. */
  read(queueUsage: number | null): Reading {
    const reading = this.#now(this.#lag.take(), queueUsage);
    this.series.add(reading);
    return reading;
  }

  health(): Health {
    const { database, options, stopping } = this.#options;
    const problems: string[] = [];
    const warnings: string[] = [];
    const started = database();
    if (stopping()) problems.push('shutting down');
    else if (!started) problems.push('not started');
    else {
      const { listener, sweeper } = started;
      if (!listener.connected) problems.push('the listening connection is lost');
      const age = performance.now() - sweeper.lastSuccess;
      if (sweeper.count === 0) problems.push('no sweep has succeeded yet');
      else if (age > Math.max(5000, 5 * options.sweepInterval)) {
        problems.push(`the last sweep was ${Math.round(age / 1000)} s ago`);
      }
      if (listener.heard === false) warnings.push('LISTEN is not heard: a pooler in transaction mode is in the way');
    }
    return { ok: problems.length === 0, problems, warnings };
  }

  #now(lagMs: number | null, queueUsage: number | null): Reading {
    const { database, feed, hooks, hub } = this.#options;
    const hookErrors = Object.values(hooks.errors).reduce((sum, count) => sum + count, 0);
    return {
      connections: hub.size,
      events: feed.taken,
      deliveries: hub.delivered,
      errors: hookErrors + (database()?.garbage ?? 0),
      lagMs,
      queueUsage,
    };
  }

  #ofDatabase() {
    const database = this.#options.database();
    if (!database) return undefined;
    const { activity, listener, sweeper, mode, pruner } = database;
    return {
      listening: listener.connected,
      heard: listener.heard,
      reconnects: listener.reconnects,
      sweeps: sweeper.count,
      sweepAgeSeconds: (performance.now() - sweeper.lastSuccess) / 1000,
      sweeping: mode.current === 'sweep',
      pruned: pruner.pruned,
      activity: { rows: activity.rows, dropped: activity.dropped, waiting: this.#options.tally.size },
    };
  }
}
