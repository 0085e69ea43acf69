import type { MetricValueWithName, Registry as PromRegistry } from 'prom-client';
import type { Stage } from '../instance/stage.js';
import type { Histogram } from '../lib/histogram.js';
import type { Meter } from '../lib/meter.js';

export interface RegistryOptions {
  /** The stages that have metrics. */
  stages: readonly Pick<Stage, 'metrics'>[];
  /** Whether prom-client's metrics of Node are added: heap, event loop, garbage collection. */
  node: boolean;
}

type Prom = typeof import('prom-client');

/** The metrics of one instance as Prometheus text. prom-client is loaded when they are first read. */
export class Registry {
  readonly #options: RegistryOptions;
  #loading: Promise<PromRegistry> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Begins to measure Node's metrics; those of djr need no start. */
  start(): void {
    if (this.#options.node) void this.#load();
  }

  /** Prometheus text, and its content type. */
  async read(): Promise<{ text: string; contentType: string }> {
    const registry = await this.#load();
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  #load(): Promise<PromRegistry> {
    this.#loading ??= import('prom-client').then(({ default: prom }) => {
      const registry = new prom.Registry();
      const meter = meterOf(prom, registry);
      for (const stage of this.#options.stages) stage.metrics?.(meter);
      if (this.#options.node) prom.collectDefaultMetrics({ register: registry });
      return registry;
    });
    return this.#loading;
  }
}

function meterOf(prom: Prom, registry: PromRegistry): Meter {
  const registers = [registry];
  return {
    gauge(name, help, read) {
      new prom.Gauge({
        name,
        help,
        registers,
        collect() {
          const value = read();
          if (value === undefined) this.remove();
          else this.set(value);
        },
      });
    },
    gauges(name, help, label, read) {
      new prom.Gauge({
        name,
        help,
        registers,
        labelNames: [label],
        async collect() {
          const values = await read();
          this.reset();
          for (const [key, value] of Object.entries(values ?? {})) this.set({ [label]: key }, value);
        },
      });
    },
    counter(name, help, read) {
      new prom.Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read() ?? 0);
        },
      });
    },
    counters(name, help, label, read) {
      new prom.Counter({
        name,
        help,
        registers,
        labelNames: [label],
        async collect() {
          const values = await read();
          this.reset();
          for (const [key, value] of Object.entries(values ?? {})) this.inc({ [label]: key }, value);
        },
      });
    },
    histogram(name, help, read) {
      addHistogram(prom, registry, name, help, () => valuesOf(name, {}, read));
    },
    histograms(name, help, label, read) {
      addHistogram(prom, registry, name, help, () =>
        Object.entries(read).flatMap(([key, histogram]) => valuesOf(name, { [label]: key }, histogram)),
      );
    },
  };
}

type Value = MetricValueWithName<string>;

/** A histogram that reads the counts of a stage. prom-client's own would have to exist before the first observation. */
function addHistogram(prom: Prom, registry: PromRegistry, name: string, help: string, values: () => Value[]): void {
  const metric = new prom.Histogram({ name, help, registers: [registry] });
  const get = async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() });
  Object.assign(metric, { get, getForPromString: get });
}

function valuesOf(name: string, labels: Record<string, string>, { bounds, counts, sum }: Histogram): Value[] {
  let count = 0;
  const buckets = [...bounds, '+Inf'].map((le, place) => {
    count += counts[place]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
