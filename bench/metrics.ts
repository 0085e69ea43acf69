/** What is measured: its heading, its unit and which way is better. */
export const metrics = {
  p50: { title: 'p50', unit: 'ms', better: 'less' },
  p90: { title: 'p90', unit: 'ms', better: 'less' },
  p99: { title: 'p99', unit: 'ms', better: 'less' },
  max: { title: 'max', unit: 'ms', better: 'less' },
  deliveries: { title: 'deliveries/s', unit: '/s', better: 'more' },
  published: { title: 'published/s', unit: '/s', better: 'more' },
  through: { title: 'stored and delivered/s', unit: '/s', better: 'more' },
  call: { title: 'call p50', unit: 'ms', better: 'less' },
  call99: { title: 'call p99', unit: 'ms', better: 'less' },
  allAfter: { title: 'all there after', unit: 'ms', better: 'less' },
  firstAfter: { title: 'first client after', unit: 'ms', better: 'less' },
  halfAfter: { title: 'median client', unit: 'ms', better: 'less' },
  lastAfter: { title: 'last client', unit: 'ms', better: 'less' },
  rest: { title: 'heartbeats, of a core', unit: '%', better: 'less' },
  moved: { title: 'deploy moved all in', unit: 's', better: 'less' },
  pause: { title: 'longest collection', unit: 'ms', better: 'less' },
  seconds: { title: 'until all are there', unit: 's', better: 'less' },
  cpuSeconds: { title: 'processor time', unit: 's', better: 'less' },
  refused: { title: 'tried again', unit: '', better: 'less' },
  rssMost: { title: 'RSS at most', unit: 'MB', better: 'less' },
  cpu: { title: 'CPU/delivery', unit: 'µs', better: 'less' },
  allocated: { title: 'allocated/delivery', unit: 'B', better: 'less' },
  cpuEvent: { title: 'CPU/event', unit: 'µs', better: 'less' },
  added: { title: 'added p50', unit: 'ms', better: 'less' },
  added99: { title: 'added p99', unit: 'ms', better: 'less' },
  core: { title: 'core publish p50', unit: 'ms', better: 'less' },
  overCore: { title: 'added/core publish', unit: 'x', better: 'less' },
  connections: { title: 'database connections', unit: '', better: 'less' },
  cpuEach: { title: 'CPU/change', unit: 'µs', better: 'less' },
  heapEach: { title: 'heap/connection', unit: 'B', better: 'less' },
  rssEach: { title: 'RSS/connection', unit: 'B', better: 'less' },
  proxyCpu: { title: "proxy's CPU/delivery", unit: 'µs', better: 'less' },
  proxyRss: { title: "proxy's RSS/stream", unit: 'B', better: 'less' },
  connects: { title: 'connects/s', unit: '/s', better: 'more' },
  queries: { title: 'statements', unit: '', better: 'less' },
  late: { title: 'publisher late', unit: 'ms', better: 'less' },
} as const satisfies Record<string, { title: string; unit: string; better: 'less' | 'more' }>;

export type Metric = keyof typeof metrics;
export type Metrics = Partial<Record<Metric, number>>;

/** One round of one variant. */
export interface Sample {
  metrics: Metrics;
  /** Packed histogram of delays. */
  delays?: string;
  /** Deliveries in each 100 ms. */
  timeline?: number[];
  /** Empty: everything expected arrived, once, and at nobody else's. */
  failures: string[];
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How far apart the rounds of one thing are, as a part of their median: the machine's noise. */
export const spread = (values: number[]): number => (Math.max(...values) - Math.min(...values)) / median(values);

/** Three significant digits, thousands apart. */
export const format = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
