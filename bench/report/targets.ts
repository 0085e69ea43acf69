import { format, type Metric, metrics } from '../metrics.js';
import type { Report } from './report.js';

/** What djr is to reach: a ratio to a floor of the same run or, without one, a figure. */
interface Target {
  what: string;
  scenario: string;
  variant: string;
  metric: Metric;
  floor?: string;
  most?: number;
  least?: number;
}

export interface Outcome {
  what: string;
  target: string;
  measured: number;
  met: boolean;
  /** How far the rounds of the scenario's first floor lie apart, as a part of their median. */
  noise: number;
}

const auto = { variant: 'djr, auto', metric: 'published' } as const;

/** One for `djr.publish_global`, and one for the INSERT that the floor is: the same work with nothing but djr's trigger added. */
const eachWay = (target: Omit<Target, 'variant' | 'metric'>): Target[] => [
  { ...target, ...auto },
  { ...target, ...auto, variant: 'djr, auto, by INSERT', what: `${target.what}, by INSERT` },
];

/** What a publish costs beside the least that work of its shape costs in the same run. */
const ceilings = [
  ['16 publishers, local disk', 'publishers-16'],
  ['16 publishers, commits of 2 ms', 'publishers-16-slow-commits'],
  ['64 publishers, commits of 2 ms', 'publishers-64-slow-commits'],
].flatMap(([what, scenario]): Target[] => [
  { what: what!, scenario: scenario!, ...auto, floor: 'function that inserts', least: 0.95 },
  {
    what: `${what}, by INSERT`,
    scenario: scenario!,
    ...auto,
    variant: 'djr, auto, by INSERT',
    floor: 'INSERT with an empty trigger',
    least: 0.95,
  },
]);

const targets: Target[] = [
  ...ceilings,
  {
    what: 'publish_many of 10,000, to the last frame',
    scenario: 'bulk',
    variant: 'djr.publish_many',
    metric: 'through',
    floor: 'bulk INSERT, read once',
    least: 0.8,
  },
  {
    what: 'one client, publish call to frame, p50',
    scenario: 'one-client',
    variant: 'djr',
    metric: 'p50',
    floor: 'floor with insert',
    most: 1.25,
  },
  {
    what: '1,000 clients at 20/s, p99',
    scenario: 'fan-out',
    variant: 'djr',
    metric: 'p99',
    floor: 'raw floor',
    most: 1.25,
  },
  {
    what: 'a write each: processor time a delivery',
    scenario: 'fan-out',
    variant: 'djr',
    metric: 'cpu',
    floor: 'raw floor',
    most: 1.05,
  },
  {
    what: 'sustained deliveries/s',
    scenario: 'burst-singles',
    variant: 'djr',
    metric: 'deliveries',
    floor: 'raw floor',
    least: 0.95,
  },
  {
    what: 'sustained deliveries/s',
    scenario: 'burst-singles',
    variant: 'djr',
    metric: 'deliveries',
    floor: 'better-sse',
    least: 1,
  },
  {
    what: 'burst, coalesced, deliveries/s',
    scenario: 'burst',
    variant: 'djr',
    metric: 'deliveries',
    floor: 'raw floor',
    least: 10,
  },
  ...eachWay({
    what: '16 publishers, commits of 2 ms',
    scenario: 'publishers-16-slow-commits',
    floor: 'bare INSERT',
    least: 0.9,
  }),
  ...eachWay({
    what: '64 publishers, commits of 2 ms',
    scenario: 'publishers-64-slow-commits',
    floor: 'bare INSERT',
    least: 0.8,
  }),
  ...eachWay({
    what: '64 publishers, commits of 2 ms',
    scenario: 'publishers-64-slow-commits',
    floor: 'INSERT and NOTIFY',
    least: 30,
  }),
  ...eachWay({ what: '16 publishers, local disk', scenario: 'publishers-16', floor: 'bare INSERT', least: 0.6 }),
  ...eachWay({ what: '16 publishers, local disk', scenario: 'publishers-16', floor: 'INSERT and NOTIFY', least: 2 }),
  {
    what: '16 publishers, local disk: delay, p50',
    scenario: 'publishers-16',
    variant: 'djr, auto',
    metric: 'p50',
    most: 10,
  },
  {
    what: '16 publishers, local disk: delay, p99',
    scenario: 'publishers-16',
    variant: 'djr, auto',
    metric: 'p99',
    most: 30,
  },
  {
    what: 'publish_many of 10,000, stored/s, each delivered',
    scenario: 'bulk',
    variant: 'djr.publish_many',
    metric: 'published',
    floor: 'bare INSERT',
    least: 0.5,
  },
  {
    what: 'publish_many of 10,000, to the last frame',
    scenario: 'bulk',
    variant: 'djr.publish_many',
    metric: 'through',
    floor: 'bare INSERT',
    least: 0.5,
  },
  {
    what: 'idle connection, resident memory',
    scenario: 'idle',
    variant: 'djr',
    metric: 'rssEach',
    floor: 'node:http floor',
    most: 1.3,
  },
  ...['10,000', '25,000', '50,000'].map(
    (connections): Target => ({
      what: `${connections} connections, resident memory each`,
      scenario: 'range',
      variant: `${connections} connections`,
      metric: 'rssEach',
      most: 12_000,
    }),
  ),
  {
    what: '50,000 connections: one event, the last client',
    scenario: 'range',
    variant: '50,000 connections',
    metric: 'lastAfter',
    most: 1000,
  },
  {
    what: '50,000 connections: heartbeats, share of a core',
    scenario: 'range',
    variant: '50,000 connections',
    metric: 'rest',
    most: 3,
  },
  ...['djr', 'djr, from storage'].flatMap((variant): Target[] => [
    {
      what: `resume storm, ${variant}: all caught up`,
      scenario: 'resume-storm',
      variant,
      metric: 'allAfter',
      most: 2000,
    },
    { what: `resume storm, ${variant}: statements`, scenario: 'resume-storm', variant, metric: 'queries', most: 20 },
  ]),
  {
    what: 'activity summary: processor time a delivery',
    scenario: 'activity',
    variant: 'summary',
    metric: 'cpu',
    floor: 'off',
    most: 1.03,
  },
  {
    what: 'ten million rows: published/s',
    scenario: 'table-size-10m',
    variant: '10,000,000 rows',
    metric: 'published',
    floor: 'empty',
    least: 0.9,
  },
  {
    what: 'user event with 10,000 clients, p50',
    scenario: 'one-among-many',
    variant: 'among 10,000',
    metric: 'p50',
    floor: 'among 100',
    most: 1.25,
  },
  {
    what: "a topic's event to 10 of 10,000 clients, p50",
    scenario: 'topics',
    variant: 'among 10,000',
    metric: 'p50',
    floor: 'among 10',
    most: 1.1,
  },
  {
    what: "a topic's event to many: processor time a delivery",
    scenario: 'topic-to-many',
    variant: 'topic',
    metric: 'cpu',
    floor: 'public',
    most: 1.1,
  },
  {
    what: 'relay, added latency at 1,000/s, p50',
    scenario: 'relay',
    variant: 'edge, whole log, notify',
    metric: 'overCore',
    most: 2,
  },
  {
    what: 'publishers with 2 sources and 32 edges',
    scenario: 'relay-publishers',
    variant: '2 sources, 32 edges',
    metric: 'published',
    floor: '2 instances',
    least: 0.95,
  },
  {
    what: 'connections to the database with 32 edges',
    scenario: 'relay-publishers',
    variant: '2 sources, 32 edges',
    metric: 'connections',
    floor: '2 sources, 2 edges',
    most: 1,
  },
  {
    what: 'an event that an edge has no client for',
    scenario: 'relay-unheard',
    variant: 'own subjects',
    metric: 'cpuEvent',
    floor: 'whole log',
    most: 0.25,
  },
  {
    what: '1,000 clients that return to an edge',
    scenario: 'relay-resume',
    variant: 'edge, whole log',
    metric: 'allAfter',
    floor: 'instance',
    most: 1,
  },
  { what: 'take-over of a source', scenario: 'relay-takeover', variant: '2 sources', metric: 'max', most: 2000 },
  { what: 'a thousand changes of room', scenario: 'room-changes', variant: 'djr', metric: 'allAfter', most: 1000 },
  { what: 'and asked in SQL', scenario: 'room-changes', variant: 'djr, asked in SQL', metric: 'allAfter', most: 1000 },
];

/** How a run stands to the targets that it measured. */
export function outcomes({ scenarios }: Report): Outcome[] {
  return targets.flatMap(({ what, scenario, variant, metric, floor, most, least }) => {
    const run = scenarios.find(({ name }) => name === scenario);
    const find = (name: string | undefined) => run?.variants.find((one) => one.name === name)?.metrics[metric];
    const [own, base] = [find(variant), floor === undefined ? 1 : find(floor)];
    if (!run || own === undefined || base === undefined || base <= 0) return [];
    const measured = own / base;
    const bound = most === undefined ? `at least ${format(least!)}` : `at most ${format(most)}`;
    const target = `${bound} ${floor === undefined ? metrics[metric].unit : `x ${floor}`}`.trim();
    const met = most === undefined ? measured >= least! : measured <= most;
    return [{ what, target, measured, met, noise: run.noise }];
  });
}
