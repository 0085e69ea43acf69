import type { Hub } from '../clients/hub.js';
import type { Lag } from '../instance/lag.js';
import { type Reading, Series } from '../instance/series.js';
import type { Stage } from '../instance/stage.js';
import { codeOf } from '../lib/error-code.js';
import { DjrError } from '../lib/errors.js';
import type { Meter } from '../lib/meter.js';
import { VERSION } from '../lib/version.js';
import type { Source } from '../source/source.js';
import type { Delivery } from '../stream/delivery.js';
import type { Hooks } from '../stream/hooks.js';
import { type Health, healthOf, notServing } from './health.js';
import { Registry } from './registry.js';

/** The state of an instance as a whole. */
export interface LifeCycle {
  readonly state: 'idle' | 'started' | 'draining' | 'stopping';
  /** The error of the last start, if no retry can mend it. */
  readonly startFailure: unknown;
}

export interface TelemetryOptions {
  /** The stages that have metrics or findings. */
  stages: readonly Pick<Stage, 'metrics' | 'findings'>[];
  life: LifeCycle;
  source: Source;
  delivery: Delivery;
  hub: Hub;
  hooks: Hooks;
  lag: Lag;
  /** Whether the metrics include those of Node. */
  nodeMetrics: boolean;
}

/** Health and metrics of an instance, and the series of figures of its last minutes. */
export class Telemetry {
  readonly registry: Registry;
  readonly series: Series;
  readonly #options: TelemetryOptions;
  #queueUsage: number | null = null;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.series = new Series(this.#now(null));
    this.registry = new Registry({ stages: [...options.stages, this], node: options.nodeMetrics });
  }

  /** Begins to measure Node's metrics. */
  start(): void {
    this.registry.start();
  }

  metrics(meter: Meter): void {
    meter.gauges('djr_build_info', 'Always 1: which version runs', 'version', () => ({ [VERSION]: 1 }));
    meter.gauge('djr_healthy', '1 while healthz answers 200', () => Number(this.health().ok));
  }

  /** Reads the figures of now, and adds them to the series. @param queueUsage - how full the NOTIFY queue is; null: not known */
  read(queueUsage: number | null): Reading {
    this.#queueUsage = queueUsage;
    const reading = this.#now(this.#options.lag.take());
    this.series.add(reading);
    return reading;
  }

  health(): Health {
    const { life, source, stages } = this.#options;
    if (life.state === 'stopping') return notServing('shutting down');
    if (life.state === 'draining') return notServing('draining: it serves its clients and is about to stop');
    if (life.startFailure !== undefined) {
      const { check } = source.explain(life.startFailure);
      const reason = life.startFailure instanceof DjrError ? life.startFailure.message : codeOf(life.startFailure);
      return healthOf([{ check, state: 'failing', reason: `the start failed: ${reason ?? 'see the log'}` }], null);
    }
    if (life.state === 'idle') return notServing('not started');
    return healthOf(
      stages.flatMap((stage) => stage.findings?.() ?? []),
      this.#queueUsage,
    );
  }

  #now(lagMs: number | null): Reading {
    const { delivery, hooks, hub, source } = this.#options;
    const hookErrors = Object.values(hooks.errors).reduce((sum, count) => sum + count, 0);
    return {
      connections: hub.size,
      events: delivery.count,
      deliveries: hub.delivered,
      errors: hookErrors + source.garbage,
      lagMs,
      queueUsage: this.#queueUsage,
    };
  }
}
