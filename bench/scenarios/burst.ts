import type { Sample } from '../metrics.js';
import { betterSse, djr, httpFloor, insertFloor, rawFloor, socketIo } from '../systems/variants.js';
import { connectClients, delayMetrics, failuresOf, type Round, type Scenario } from './scenario.js';

async function run(round: Round, together: boolean): Promise<Sample> {
  const { readers, publisher, system, clients } = round;
  const events = 500;
  const warmup = 20;
  await connectClients(round);
  await publisher.connect({ url: round.databaseUrl, connections: 4, statements: round.variant.statements });
  await readers.expect({ events: warmup, warmup: 0 });
  await publisher.burst({ events: warmup, together });
  const warm = await readers.received({ patience: 10_000 });
  const before = await system!.remote.usage(null);
  await readers.expect({ events, from: warmup, warmup: 0 });
  const published = await publisher.burst({ events, together, from: warmup });
  // Who writes only when all has been put together is silent for as long as that takes.
  const received = await readers.received({ patience: 30_000 });
  const after = await system!.remote.usage(null);
  await readers.close(null);
  await publisher.close(null);
  const seconds = Math.max(0, received.last - published.started) / 1e6;
  return {
    metrics: {
      ...delayMetrics(received),
      deliveries: seconds > 0 ? received.deliveries / seconds : 0,
      allAfter: seconds * 1000,
      cpu: (after.cpu - before.cpuBehind) / (clients * events),
    },
    delays: received.delays,
    timeline: received.timeline,
    failures: [...failuresOf(received), ...failuresOf(warm)],
  };
}

const base = {
  size: { clients: 1000, seconds: 1, rounds: 3 },
  columns: ['deliveries', 'allAfter', 'p50', 'p99', 'cpu'],
  ratios: ['deliveries'],
} satisfies Partial<Scenario>;

export const burst: Scenario = {
  ...base,
  name: 'burst',
  about:
    '500 events in one statement to 1,000 clients, as fast as possible: deliveries a second, from the call to the last frame.',
  variants: [rawFloor, insertFloor, httpFloor, betterSse, djr],
  run: (round) => run(round, true),
};

export const burstSingles: Scenario = {
  ...base,
  name: 'burst-singles',
  about: '500 events to 1,000 clients, each a transaction of its own, over four connections, as fast as possible.',
  variants: [rawFloor, insertFloor, betterSse, djr],
  long: true,
  run: (round) => run(round, false),
};

export const peersBurst: Scenario = {
  ...base,
  name: 'peers-burst',
  about:
    '500 events in one statement to 1,000 clients, beside the peers: better-sse and Socket.IO on the same database.',
  variants: [rawFloor, betterSse, socketIo, djr],
  long: true,
  run: (round) => run(round, true),
};
