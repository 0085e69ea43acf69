import { setTimeout } from 'node:timers/promises';
import { now } from '../clock.js';
import type { Sample } from '../metrics.js';
import { bareInsert, bulkRead, djr, djrMany, insertFloor } from '../systems/variants.js';
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
  await activityRecorded(publisher);
  await readers.expect({ events: EVENTS, from: EVENTS, warmup: 0 });
  const published = await publisher.burst({ events: EVENTS, together: true, from: EVENTS });
  const readMicroseconds =
    variant.reads === undefined ? 0 : await publisher.read(`${variant.reads} order by id desc limit ${EVENTS}`);
  await publisher.close(null);
  const metrics = { published: EVENTS / published.seconds };
  // Nobody is told: stored, and read once where the variant asks for it, is all there is.
  const seconds = published.seconds + readMicroseconds / 1e6;
  if (!system) return { metrics: { ...metrics, through: EVENTS / seconds }, failures: [] };
  const received = await readers.received({ patience: 5000 });
  await readers.close(null);
  const allAfter = (received.last - published.started) / 1000;
  const through = EVENTS / (allAfter / 1000);
  return {
    metrics: { ...metrics, allAfter, through },
    timeline: received.timeline,
    failures: [...failuresOf(received), ...failuresOf(warm!)],
  };
}

/** What is recorded of one bulk must not fall into the next: a row an event, where it is djr that delivers. */
async function activityRecorded(publisher: Round['publisher']): Promise<void> {
  const deadline = now() + 10_000_000;
  for (;;) {
    const [row] = await publisher.query(
      'select (select count(*) from djr.event) - (select count(*) from djr.activity) as waiting',
    );
    if (row!.waiting === '0') return;
    if (now() > deadline) throw new Error(`The activity of ${row!.waiting} events was not recorded within 10 s.`);
    await setTimeout(50);
  }
}

export const bulk: Scenario = {
  name: 'bulk',
  about: `${EVENTS.toLocaleString('en')} events in one statement: stored and committed a second, and delivered to one client.`,
  size: { clients: 1, seconds: 1, rounds: 5 },
  variants: [
    bareInsert,
    bulkRead,
    { ...insertFloor, name: 'INSERT, a NOTIFY each' },
    { ...djr, name: 'INSERT into djr.event' },
    djrMany,
  ],
  columns: ['published', 'through', 'allAfter'],
  ratios: ['published', 'through'],
  long: true,
  run,
};
