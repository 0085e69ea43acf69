import type { ActivityCounter } from '../activity/counter.js';
import type { Hub } from '../clients/hub.js';
import type { Topics } from '../clients/topics/topics.js';
import type { Consumers } from '../consume/consumers.js';
import { Lag } from '../instance/lag.js';
import { type Reading, Series } from '../instance/series.js';
import type { OpenFiles } from '../lib/open-files.js';
import type { ResolvedOptions } from '../options.js';
import type { Database } from '../source/postgres/postgres-source.js';
import type { Feed } from '../stream/feed.js';
import type { History } from '../stream/history.js';
import type { Hooks } from '../stream/hooks.js';
import { checkHealth, type Health } from './health.js';
import { Metrics, type StreamCounts } from './metrics.js';

export interface TelemetryOptions {
  options: ResolvedOptions;
  openFiles: OpenFiles;
  hub: Hub;
  feed: Feed;
  hooks: Hooks;
  history: History;
  streams: StreamCounts;
  topics: Topics;
  consumers: Consumers;
  activity: ActivityCounter;
  /** Undefined before the start. */
  database(): Database | undefined;
  stopping(): boolean;
  draining(): boolean;
}

/** What an instance knows of itself: health, metrics, and the series of its last minutes. */
export class Telemetry {
  readonly metrics: Metrics;
  readonly series: Series;
  readonly #options: TelemetryOptions;
  readonly #lag = new Lag();
  /** Why the last start failed for good. */
  startFailure: unknown;

  constructor(telemetry: TelemetryOptions) {
    this.#options = telemetry;
    this.series = new Series(this.#now(null, null));
    const healthy = () => this.health().ok;
    this.metrics = new Metrics({ ...telemetry, healthy, node: telemetry.options.nodeMetrics });
  }

  /** @param createdAt - milliseconds since 1970 */
  delivered(createdAt: number): void {
    this.#lag.record(Date.now() - createdAt);
    this.metrics.delivered(createdAt);
  }

  /** What the instance says of itself now; it is the next point of its series as well. */
  read(queueUsage: number | null): Reading {
    const reading = this.#now(this.#lag.take(), queueUsage);
    this.series.add(reading);
    return reading;
  }

  health(): Health {
    const { database, draining, feed, options, stopping } = this.#options;
    return checkHealth({
      database: database(),
      stopping: stopping(),
      draining: draining(),
      startFailure: this.startFailure,
      sweepInterval: options.sweepInterval,
      stuckFor: feed.stuckFor,
      hookTimeout: options.hookTimeout,
    });
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
}
