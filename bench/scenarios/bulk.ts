import { setTimeout } from 'node:timers/promises';
import type { Sample } from '../metrics.js';
import { bareInsert, djr, djrMany, insertFloor } from '../systems/variants.js';
import { connectClients, failuresOf, type Round, type Scenario } from './scenario.js';

const EVENTS = 10_000;

async function run(round: Round): Promise<Sample> {
  const { readers, publisher, system, variant, databaseUrl } = round;
  if (system) await connectClients(round);
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  // The first of a process is compiled while it is worked off, by whoever publishes and whoever delivers.
  await readers.expect({ events: EVENTS, warmup: 0 });
  await publisher.burst({ events: EVENTS, together: true });
  const warm = system && (await readers.received({ patience: 5000 }));
  // What is recorded of it later is not the next one's.
  await setTimeout(1500);
  await readers.expect({ events: 2 * EVENTS, warmup: EVENTS });
  const published = await publisher.burst({ events: EVENTS, together: true, from: EVENTS });
  await publisher.close(null);
  const metrics = { published: EVENTS / published.seconds };
  // Nobody is told: stored is all there is.
  if (!system) return { metrics: { ...metrics, through: metrics.published }, failures: [] };
  const received = await readers.received({ patience: 5000 });
  await readers.close(null);
  // The second expectation includes the numbers of the first.
  received.missing -= warm!.deliveries;
  const allAfter = (received.last - published.started) / 1000;
  const through = EVENTS / (allAfter / 1000);
  return {
    metrics: { ...metrics, allAfter, through },
    timeline: received.timeline,
    failures: [...failuresOf(received), ...failuresOf(warm!)],
  };
}

export const bulk: Scenario = {
  name: 'bulk',
  about: `${EVENTS.toLocaleString('en')} events in one statement: stored and committed a second, and delivered to one client.`,
  size: { clients: 1, seconds: 1, rounds: 5 },
  variants: [
    bareInsert,
    { ...insertFloor, name: 'INSERT, a NOTIFY each' },
    { ...djr, name: 'INSERT into djr.event' },
    djrMany,
  ],
  columns: ['published', 'through', 'allAfter'],
  ratios: ['published', 'through'],
  long: true,
  run,
};
