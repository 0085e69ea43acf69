import { now } from '../clock.js';
import type { Sample } from '../metrics.js';
import { djr, djrWith, httpFloor, rawFloor, type Variant } from '../systems/variants.js';
import { connectClients, failuresOf, type Round, type Scenario } from './scenario.js';

async function idleRun(round: Round): Promise<Sample> {
  const { clients, readers, system } = round;
  // What the first connections load and compile is no connection's cost.
  await connectClients(round, { clients: 50 });
  await readers.close(null);
  const before = await system!.remote.usage(null);
  const { seconds } = await connectClients(round, { topics: GROUPS });
  const after = await system!.remote.usage(null);
  await readers.close(null);
  return {
    metrics: {
      heapEach: (after.heap - before.heap) / clients,
      rssEach: (after.rss - before.rss) / clients,
      connects: clients / seconds,
    },
    failures: [],
  };
}

export const idle: Scenario = {
  name: 'idle',
  about: '10,000 connections that wait: bytes each in the server (after a collection), and how fast they connect.',
  size: { clients: 10_000, seconds: 1, rounds: 3 },
  variants: [httpFloor, rawFloor, djr],
  columns: ['rssEach', 'heapEach', 'connects'],
  ratios: ['rssEach', 'heapEach'],
  fresh: true,
  long: true,
  run: idleRun,
};

/** Among which the shared topics are dealt out. */
const GROUPS = 20;

const fifty = (name: string, own: boolean): Variant => djrWith(name, [], { topicsEach: { count: 50, own } });

export const idleTopics: Scenario = {
  name: 'idle-topics',
  about:
    '5,000 connections that wait, with 50 topics each, beside as many without: bytes each in the server, of which the address that Node keeps is a part.',
  size: { clients: 5000, seconds: 1, rounds: 3 },
  variants: [
    { ...djr, name: 'no topics', floor: true },
    fifty('50 shared topics', false),
    fifty('50 topics of its own', true),
  ],
  columns: ['heapEach', 'rssEach', 'connects'],
  ratios: ['heapEach'],
  fresh: true,
  long: true,
  run: idleRun,
};

const BEHIND = 100;

export async function resumeRun(round: Round): Promise<Sample> {
  const { publisher, readers, system, databaseUrl, variant, clients } = round;
  const { port, path } = system!.address;
  const before = await system!.remote.usage(null);
  const lastEventId = await readers.position({ port, path: path.replace('USER', '0') });
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  await publisher.burst({ events: BEHIND, together: false });
  await publisher.close(null);
  await readers.expect({ events: 0, warmup: 0, clients });
  const started = now();
  await connectClients(round, { lastEventId, parallel: clients });
  const received = await readers.received({ patience: 5000, events: BEHIND });
  await readers.close(null);
  const after = await system!.remote.usage(null);
  const queries = (after.statements ?? 0) - (before.statements ?? 0);
  const allAfter = (received.last - started) / 1000;
  return {
    metrics: { allAfter, deliveries: received.deliveries / (allAfter / 1000), queries },
    timeline: received.timeline,
    failures: failuresOf(received),
  };
}

export const resumeStorm: Scenario = {
  name: 'resume-storm',
  about: `1,000 clients, ${BEHIND} events behind, reconnect at once with their Last-Event-ID: until all have caught up.`,
  size: { clients: 1000, seconds: 1, rounds: 5 },
  // As after the loss of the instance that had these events in memory.
  variants: [djr, djrWith('djr, from storage', [], { historyEvents: 1 })],
  columns: ['allAfter', 'deliveries', 'queries'],
  ratios: [],
  long: true,
  run: resumeRun,
};
