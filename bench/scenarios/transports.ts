import { merge, percentiles } from '../load/histogram.js';
import type { Metrics, Sample } from '../metrics.js';
import { missingProxy } from '../systems/proxies.js';
import type { Transport } from '../systems/system.js';
import { djrWith, type Variant } from '../systems/variants.js';
import { connectClients, delayMetrics, failuresOf, type Round, type Scenario } from './scenario.js';

/** Events a second. */
const RATE = 20;

async function run(round: Round): Promise<Sample> {
  const { clients, publisher, readers, seconds, system, variant } = round;
  const { remote } = system!;
  // What the first connections load and compile is no connection's cost.
  await connectClients(round, { clients: 100 });
  await readers.close(null);
  const before = await remote.usage(null);
  const opening = await connectClients(round);
  const connected = await remote.usage(null);
  await publisher.connect({ url: round.databaseUrl, connections: 1, statements: variant.statements });
  const events = RATE * seconds;
  await readers.expect({ events: events + RATE, warmup: RATE });
  const published = await publisher.paced({ rate: RATE, events, warmup: RATE });
  const received = await readers.received({ patience: 3000 });
  const after = await remote.usage(null);
  await readers.close(null);
  await publisher.close(null);
  const metrics: Metrics = {
    ...delayMetrics(received),
    cpu: (after.cpu - connected.cpuBehind) / received.deliveries,
    rssEach: (connected.rss - before.rss) / clients,
    connects: clients / opening.seconds,
    call: percentiles(merge([published.calls])).p50,
    late: published.late,
  };
  if (before.proxy && connected.proxy && after.proxy) {
    metrics.proxyCpu = (after.proxy.cpu - connected.proxy.cpu) / received.deliveries;
    metrics.proxyRss = (connected.proxy.rss - before.proxy.rss) / clients;
  }
  return { metrics, delays: received.delays, timeline: received.timeline, failures: failuresOf(received) };
}

const by = (name: string, transport: Transport, perConnection?: number): Variant => ({
  ...djrWith(name, [], { transport, ...(perConnection ? { perConnection } : {}) }),
  floor: transport === 'http',
});

export const transports: Scenario = {
  name: 'transports',
  about:
    '1,000 streams, 20 events a second to everyone, by node:http, node:https and node:http2, and behind nginx and HAProxy with TLS: processor time and memory of the process and of its proxy.',
  size: { clients: 1000, seconds: 5, rounds: 2 },
  variants: [
    by('node:http', 'http'),
    by('node:https', 'https'),
    by('node:http2, a stream a connection', 'http2', 1),
    by('node:http2, 100 streams a connection', 'http2', 100),
    by('nginx, HTTP/1.1', 'nginx'),
    by('nginx, HTTP/2, 100 streams', 'nginx', 100),
    by('HAProxy, HTTP/1.1', 'haproxy'),
    by('HAProxy, HTTP/2, 100 streams', 'haproxy', 100),
  ],
  columns: ['cpu', 'proxyCpu', 'rssEach', 'proxyRss', 'connects', 'p50', 'p99'],
  ratios: ['cpu', 'rssEach'],
  fresh: true,
  long: true,
  hindrance: (variant) => missingProxy(variant.options?.transport),
  run,
};
