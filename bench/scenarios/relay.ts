import { setTimeout as pause } from 'node:timers/promises';
import { merge, percentiles } from '../load/histogram.js';
import { hindranceToApart, serverOf, setApart } from '../load/processors.js';
import type { Sample } from '../metrics.js';
import type { Remote } from '../remote.js';
import type { RelaySystem } from '../systems/relay.js';
import { djr, djrWith, type Variant } from '../systems/variants.js';
import { resumeRun } from './connections.js';
import { closedLoop } from './publishers.js';
import { connectClients, delayMetrics, failuresOf, type Round, type Scenario } from './scenario.js';

const relay = (name: string, options: NonNullable<NonNullable<Variant['options']>['relay']>): Variant => ({
  ...djrWith(name, [], { relay: options }),
  system: 'relay',
});

/** Who has no client here. */
const toNobody = { statements: { global: `select djr.publish('nobody', 'bench', $1::jsonb)` } };

/** Each commit notifies, so that events come one by one: a source that sweeps has those of 5 ms at once, and each waits for all of them. */
const notifying = (variant: Variant): Variant => ({
  ...variant,
  name: `${variant.name}, notify`,
  setup: ["select djr.configure(delivery => 'notify')"],
});

const relayOf = ({ system }: Round): Remote<RelaySystem> => system!.remote as Remote<RelaySystem>;

/** Events a second, and publishers, where it is about delays. */
const RATE = 1000;
const PUBLISHERS = 8;

/** Messages a second that are published to NATS without JetStream, beside the events. */
const CORE_RATE = 100;

async function latencyRun(round: Round): Promise<Sample> {
  const { publisher, readers, seconds, variant } = round;
  const system = relayOf(round);
  await connectClients(round);
  await publisher.connect({ url: round.databaseUrl, connections: PUBLISHERS, statements: variant.statements });
  const events = RATE * seconds;
  await readers.expect({ events: RATE + events, warmup: RATE });
  const published = publisher.paced({ rate: RATE, events, warmup: RATE });
  // The warm-up takes a second.
  const cores = pause(1000).then(() => system.core({ rate: CORE_RATE, seconds }));
  const [beside] = await Promise.all([cores, published]);
  const core = percentiles(merge([beside]));
  const received = await readers.received({ patience: 5000 });
  const { p50, p99 } = percentiles(merge([await system.added(null)]));
  await readers.close(null);
  await publisher.close(null);
  return {
    metrics: { ...delayMetrics(received), added: p50, added99: p99, core: core.p50, overCore: p50 / core.p50 },
    delays: received.delays,
    timeline: received.timeline,
    failures: failuresOf(received),
  };
}

export const relayLatency: Scenario = {
  name: 'relay',
  about: `${RATE.toLocaleString('en')} events a second: from the moment at which the source that writes has an event to the client of an edge, beside publishes to NATS without JetStream from and to the same processes meanwhile.`,
  size: { clients: 1, seconds: 5, rounds: 3 },
  variants: [
    relay('edge, whole log', { stamped: true }),
    relay('edge, own subjects', { interest: 'own', stamped: true }),
  ].flatMap((variant) => [notifying(variant), variant]),
  columns: ['overCore', 'added', 'core', 'added99', 'p50', 'p99'],
  ratios: [],
  long: true,
  run: latencyRun,
};

/** The database and its publishers have processors of their own, and so have the engine, the edges and the clients. The sources are on either side. */
async function goApart(round: Round, sources: 'near' | 'far'): Promise<() => void> {
  const { databaseUrl, publisher, readers, variant } = round;
  const system = relayOf(round);
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  const [row] = await publisher.query('select pg_backend_pid() as pid');
  await publisher.close(null);
  // On another machine the database is apart anyway.
  const server = serverOf(Number(row!.pid));
  const near = [...(server === undefined ? [] : [server]), publisher.pid];
  const far = [system.pid, readers.pid];
  (sources === 'near' ? near : far).push(...(await system.pids(null)));
  return setApart(near, far);
}

/** Publishers that wait for their commits, and the connections that the database has meanwhile. */
async function publishersRun(round: Round): Promise<Sample> {
  const sample = await closedLoop(round, 16);
  await round.publisher.connect({ url: round.databaseUrl, connections: 1, statements: round.variant.statements });
  const sql = `select count(*)::int as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
  const [row] = await round.publisher.query(sql);
  await round.publisher.close(null);
  return { ...sample, metrics: { ...sample.metrics, connections: Number(row!.count) } };
}

const publishersTogether: Scenario = {
  name: 'relay-publishers-together',
  about:
    '16 publishers of events for one user as fast as they are answered, who is connected to an instance or an edge. All share the processors.',
  size: { clients: 1, seconds: 4, rounds: 3 },
  variants: [
    { ...relay('2 instances', { edges: 0 }), floor: true },
    relay('2 sources, 2 edges', { edges: 2, interest: 'own' }),
    relay('2 sources, 32 edges', { edges: 32, interest: 'own' }),
  ].map((variant) => ({ ...variant, statements: { global: `select djr.publish('0', 'bench', $1::jsonb)` } })),
  columns: ['published', 'connections', 'call', 'p50', 'p99'],
  ratios: ['published', 'connections'],
  rest: 2500,
  long: true,
  run: publishersRun,
};

const publishersApart = (name: string, sources: 'near' | 'far', about: string): Scenario => ({
  ...publishersTogether,
  name,
  about,
  hindrance: hindranceToApart,
  run: async (round) => {
    const end = await goApart(round, sources);
    return publishersRun(round).finally(end);
  },
});

/** What edges cost publishers, who have nothing but the database and its instances on their machines. */
const relayPublishers = publishersApart(
  'relay-publishers',
  'near',
  'The same, and half of the processors are for the database, the publishers and the sources or instances, the other half for nats-server, edges and clients.',
);

/** What the database itself loses to a relay. */
const relayDatabase = publishersApart(
  'relay-publishers-database',
  'far',
  'The same, and half of the processors are for the database and its publishers alone, as on a machine of their own.',
);

/** What the processor of an edge does for an event that none of its clients gets. */
async function unheardRun(round: Round): Promise<Sample> {
  const { publisher, seconds, variant } = round;
  const system = relayOf(round);
  await publisher.connect({ url: round.databaseUrl, connections: PUBLISHERS, statements: variant.statements });
  const idle = await system.usage(null);
  await pause(seconds * 1000);
  const before = await system.usage(null);
  const published = await publisher.paced({ rate: RATE, events: RATE * seconds, warmup: 0 });
  await pause(500);
  const after = await system.usage(null);
  await publisher.close(null);
  const quiet = (before.cpu - idle.cpuBehind) / seconds;
  const busy = after.cpu - before.cpuBehind - quiet * (seconds + 0.5);
  return { metrics: { cpuEvent: busy / published.events, late: published.late }, failures: [] };
}

export const relayUnheard: Scenario = {
  name: 'relay-unheard',
  about: `${RATE.toLocaleString('en')} events a second for a user who is not connected: processor time of an edge for each, beyond what it takes at rest.`,
  size: { clients: 1, seconds: 5, rounds: 5 },
  variants: [
    { ...relay('whole log', { interest: 'all' }), ...toNobody, floor: true },
    { ...relay('own subjects', { interest: 'own' }), ...toNobody },
  ],
  columns: ['cpuEvent', 'late'],
  ratios: ['cpuEvent'],
  long: true,
  run: unheardRun,
};

export const relayResume: Scenario = {
  name: 'relay-resume',
  about: '1,000 clients, 100 events behind, reconnect at once with their Last-Event-ID: to an instance, and to edges.',
  size: { clients: 1000, seconds: 1, rounds: 5 },
  variants: [
    { ...djr, name: 'instance', floor: true },
    relay('edge, whole log', {}),
    relay('edge, own subjects', { interest: 'own' }),
  ],
  columns: ['allAfter', 'deliveries'],
  ratios: ['allAfter'],
  long: true,
  run: resumeRun,
};

/** Events before, and behind, the moment at which the source that writes is killed. */
const TAKEOVER_RATE = 200;

async function takeoverRun(round: Round): Promise<Sample> {
  const { publisher, readers, seconds, variant } = round;
  const system = relayOf(round);
  await connectClients(round);
  await publisher.connect({ url: round.databaseUrl, connections: 2, statements: variant.statements });
  const events = TAKEOVER_RATE * seconds;
  await readers.expect({ events, warmup: 0 });
  const killing = pause((seconds * 1000) / 3).then(() => system.kill(null));
  await publisher.paced({ rate: TAKEOVER_RATE, events, warmup: 0 });
  await killing;
  const received = await readers.received({ patience: 10_000 });
  await readers.close(null);
  await publisher.close(null);
  await system.mend(null);
  return {
    metrics: delayMetrics(received),
    delays: received.delays,
    timeline: received.timeline,
    failures: failuresOf(received),
  };
}

export const relayTakeover: Scenario = {
  name: 'relay-takeover',
  about: `${TAKEOVER_RATE} events a second, and the source that writes the log is killed: the longest delay is the take-over.`,
  size: { clients: 1, seconds: 6, rounds: 5 },
  variants: [relay('2 sources', {})],
  columns: ['max', 'p50'],
  ratios: [],
  long: true,
  run: takeoverRun,
};

/** All that a relay is measured by. */
export const relayScenarios: Scenario[] = [
  relayLatency,
  publishersTogether,
  relayPublishers,
  relayDatabase,
  relayUnheard,
  relayResume,
  relayTakeover,
];
