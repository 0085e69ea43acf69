import { setTimeout } from 'node:timers/promises';
import { now } from '../clock.js';
import { Crowd } from '../load/crowd.js';
import { merge, percentiles } from '../load/histogram.js';
import { type Metrics, median, type Sample } from '../metrics.js';
import { type Remote, start } from '../remote.js';
import type { System } from '../systems/system.js';
import { djr, type Variant } from '../systems/variants.js';
import { connectClients, failuresOf, type Round, type Scenario } from './scenario.js';

/** Events that go to all, one after the other; the first warms up. */
const EVENTS = 6;

/** Milliseconds in which nothing comes before it is given up; a deploy spreads its clients over five seconds. */
const PATIENCE = 10_000;

const number = (value: number): string => Math.round(value).toLocaleString('en');

/** One process and all these connections: what they cost while nothing happens, while something does, and while they move. */
async function run(round: Round): Promise<Sample> {
  const { clients, publisher, seconds: rest, system, step, variant, databaseUrl } = round;
  const { remote, address } = system!;
  // What the first connections load and compile is no connection's cost.
  await connectClients(round, { clients: 50 });
  await round.readers.close(null);
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  const alone = await restingShare(remote, rest / 3);
  const before = await remote.usage(null);
  const crowd = new Crowd(clients);
  try {
    step(`opening ${number(clients)}`);
    const { seconds } = await crowd.connect(address, (opened) =>
      step(`${number(opened)} of ${number(clients)} opened`),
    );
    const opening = await remote.usage(null);
    const metrics: Metrics = {
      rssEach: (opening.rss - before.rss) / clients,
      heapEach: (opening.heap - before.heap) / clients,
      connects: clients / seconds,
    };
    const failures: string[] = [];

    step(`at rest for ${rest} s`);
    await crowd.expect({ events: 0, warmup: 0 });
    metrics.rest = (await restingShare(remote, rest)) - alone;

    step('one event to all, and again');
    const { cpuBehind } = await remote.usage(null);
    const delays: { first: number; half: number; last: number }[] = [];
    for (let n = 0; n < EVENTS; n += 1) {
      await crowd.expect({ events: 1, from: n, warmup: 0 });
      const published = await publisher.burst({ events: 1, together: false, from: n });
      const received = await crowd.received({ patience: PATIENCE });
      failures.push(...failuresOf(received));
      const { started } = published;
      const half = percentiles(merge([received.delays])).p50;
      delays.push({ first: (received.first - started) / 1000, half, last: (received.last - started) / 1000 });
    }
    const told = await remote.usage(null);
    delays.shift();
    metrics.firstAfter = median(delays.map(({ first }) => first));
    metrics.halfAfter = median(delays.map(({ half }) => half));
    metrics.lastAfter = median(delays.map(({ last }) => last));
    metrics.cpu = (told.cpu - cpuBehind) / (clients * EVENTS);
    metrics.pause = told.pause;

    const deploy = await move(round, crowd);
    metrics.moved = deploy.seconds;
    metrics.pause = Math.max(metrics.pause, deploy.pause);
    failures.push(...deploy.failures);
    return { metrics, failures };
  } finally {
    await publisher.close(null);
    await crowd.end();
  }
}

/** Which share of a core a process takes while nothing is published, in %. */
async function restingShare(remote: Remote<System>, seconds: number): Promise<number> {
  const { cpuBehind } = await remote.usage(null);
  await setTimeout(seconds * 1000);
  const { cpu } = await remote.usage(null);
  return ((cpu - cpuBehind) / (seconds * 1e6)) * 100;
}

/** A second instance takes the clients over that the first one lets go, and none of them misses what is published meanwhile. */
async function move({ system, variant, databaseUrl, publisher, clients, step }: Round, crowd: Crowd) {
  const next = start<System>(variant.system!);
  try {
    const { port } = await next.listen({ databaseUrl, ...variant.options });
    await crowd.follow(port);
    await crowd.expect({ events: 3, from: EVENTS, warmup: 0 });
    // Each client has an id to come back with.
    await publisher.burst({ events: 1, together: false, from: EVENTS });
    await crowd.received({ patience: 1000, events: 1 });
    step('a deploy moves them all');
    const began = now();
    const stopped = system!.remote.stop!(null);
    await setTimeout(1000);
    await publisher.burst({ events: 1, together: false, from: EVENTS + 1 });
    const { moved, last, refused } = await crowd.moved(PATIENCE);
    const seconds = (last - began) / 1e6;
    await publisher.burst({ events: 1, together: false, from: EVENTS + 2 });
    const received = await crowd.received({ patience: PATIENCE, events: 3 });
    await stopped;
    const { pause } = await next.usage(null);
    step(`${number(moved)} moved, ${number(refused)} tried again`);
    const failures = failuresOf(received);
    if (moved < clients) failures.push(`${clients - moved} clients did not come back`);
    return { seconds, pause, failures };
  } finally {
    await crowd.close();
    await next.end();
  }
}

/** Each on an instance of its own, whose sockets a process must be allowed. */
const connections = (clients: number): Variant => ({
  ...djr,
  name: `${number(clients)} connections`,
  clients,
  crowded: true,
});

/** As browsers have them behind TLS: a hundred streams a connection, for which a process needs few open files. */
const multiplexed = (clients: number): Variant => ({
  ...djr,
  name: `${number(clients)} streams of HTTP/2`,
  clients,
  options: { transport: 'http2', perConnection: 100 },
});

export const range: Scenario = {
  name: 'range',
  about:
    'Connections on one process: bytes each, how fast they connect, what they cost at rest (heartbeats), one event to all, a deploy that moves all of them, the longest collection.',
  // Two heartbeats of each client.
  size: { clients: 10_000, seconds: 30, rounds: 1 },
  variants: [...[10_000, 25_000, 50_000].map(connections), multiplexed(50_000)],
  among: (clients) => [connections(clients), multiplexed(clients)],
  columns: ['rssEach', 'heapEach', 'connects', 'rest', 'firstAfter', 'halfAfter', 'lastAfter', 'cpu', 'moved', 'pause'],
  ratios: [],
  fresh: true,
  long: true,
  run,
};
