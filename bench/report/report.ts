import { cpus, totalmem } from 'node:os';
import { curve, merge } from '../load/histogram.js';
import { type Metric, type Metrics, median, type Sample, spread } from '../metrics.js';
import type { Scenario, Size } from '../scenarios/scenario.js';
import type { Variant } from '../systems/variants.js';

export interface VariantReport {
  name: string;
  floor: boolean;
  /** Medians over the rounds. */
  metrics: Metrics;
  rounds: Metrics[];
  /** Over all rounds: `[percentile, milliseconds]`. */
  curve: [number, number][];
  /** Of the last round: deliveries in each 100 ms. */
  timeline: number[];
  /** By floor, then metric: this one's median divided by the floor's. */
  ratios: Record<string, Metrics>;
  failures: string[];
}

export interface ScenarioReport {
  name: string;
  about: string;
  size: Size;
  columns: Metric[];
  headline: Metric[];
  variants: VariantReport[];
  /** How far the rounds of the first floor are apart in the headline metric, as a part of their median. */
  noise: number;
  /** Variants that this machine could not run, each with what must be set for it. */
  notRun?: Record<string, string>;
}

export interface Report {
  date: string;
  machine: { cpu: string; cores: number; memoryGb: number; platform: string };
  node: string;
  postgres: { version: string; settings: Record<string, string> };
  scenarios: ScenarioReport[];
}

/** From the rounds of a scenario to medians and ratios. */
export function summarise(
  scenario: Scenario,
  size: Size,
  variants: Variant[],
  samples: Map<string, Sample[]>,
): ScenarioReport {
  const reports = variants.map((variant): VariantReport => {
    const rounds = samples.get(variant.name) ?? [];
    const delays = rounds.flatMap((round) => round.delays ?? []);
    return {
      name: variant.name,
      floor: variant.floor === true,
      metrics: medians(rounds.map((round) => round.metrics)),
      rounds: rounds.map((round) => round.metrics),
      curve: delays.length > 0 ? curve(merge(delays)) : [],
      timeline: rounds.at(-1)?.timeline ?? [],
      ratios: {},
      failures: rounds.flatMap(({ failures }, round) => failures.map((failure) => `round ${round + 1}: ${failure}`)),
    };
  });
  const floors = reports.filter(({ floor }) => floor);
  for (const report of reports) {
    for (const floor of floors) {
      if (floor !== report) report.ratios[floor.name] = ratios(report.metrics, floor.metrics, scenario.ratios);
    }
  }
  const headline = scenario.ratios[0] ?? scenario.columns[0]!;
  const steady = floors[0]?.rounds.flatMap((round) => round[headline] ?? []) ?? [];
  return {
    name: scenario.name,
    about: scenario.about,
    size,
    columns: scenario.columns,
    headline: scenario.ratios,
    variants: reports,
    noise: steady.length > 1 ? spread(steady) : 0,
  };
}

function medians(rounds: Metrics[]): Metrics {
  const result: Metrics = {};
  for (const name of Object.keys(rounds[0] ?? {}) as Metric[]) {
    result[name] = median(rounds.flatMap((round) => round[name] ?? []));
  }
  return result;
}

function ratios(own: Metrics, floor: Metrics, names: Metric[]): Metrics {
  const result: Metrics = {};
  for (const name of names) {
    const [a, b] = [own[name], floor[name]];
    if (a !== undefined && b !== undefined && b > 0) result[name] = a / b;
  }
  return result;
}

/** What the figures were measured on. */
export const describeMachine = (): Report['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  platform: `${process.platform} ${process.arch}`,
});

/** Every failure of a run, one a line; none: everything arrived. */
export const failures = ({ scenarios }: Report): string[] =>
  scenarios.flatMap(({ name, variants }) =>
    variants.flatMap((variant) => variant.failures.map((failure) => `${name}, ${variant.name}, ${failure}`)),
  );
