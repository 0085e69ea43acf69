import { merge, percentiles } from '../load/histogram.js';
import type { Sample } from '../metrics.js';
import {
  bareInsert,
  djrWith,
  emptyTrigger,
  insertFloor,
  insertingFunction,
  insertNotify,
  inserts,
  type Variant,
  withSlowCommits,
} from '../systems/variants.js';
import { filled } from './filled.js';
import { connectClients, delayMetrics, failuresOf, type Round, type Scenario } from './scenario.js';

const delivery = (mode: 'notify' | 'sweep' | 'auto') =>
  djrWith(`djr, ${mode}`, [`select djr.configure(delivery => '${mode}')`]);

/** An instance of djr that went over to sweeping goes on with it until it has been quiet for two seconds. */
const REST = 2500;

/** NOTIFY in each commit, with a listener that delivers to one client: what a runtime has beside it. */
const notifyACommit: Variant = { ...insertFloor, name: insertNotify.name };

/** Publishers that each wait for one commit before the next, and one client that must get everything. */
export async function closedLoop(round: Round, connections: number): Promise<Sample> {
  const { readers, publisher, system, seconds, variant } = round;
  if (system) await connectClients(round);
  await publisher.connect({ url: round.databaseUrl, connections, statements: variant.statements });
  const heard = system !== undefined && !variant.unheard;
  await readers.expect({ events: 0, warmup: connections * 50 });
  const published = await publisher.closedLoop({ seconds, warmup: 1 });
  const calls = percentiles(merge([published.calls]));
  const metrics = { published: published.counted / seconds, call: calls.p50, call99: calls.p99 };
  await publisher.close(null);
  if (!heard) {
    if (system) await readers.close(null);
    return { metrics, failures: [] };
  }
  const received = await readers.received({ patience: 5000, events: published.events });
  await readers.close(null);
  return {
    metrics: { ...metrics, ...delayMetrics(received) },
    delays: received.delays,
    timeline: received.timeline,
    failures: failuresOf(received),
  };
}

function publishers(connections: number, slowCommits = false): Scenario {
  const variants = [
    bareInsert,
    insertingFunction,
    emptyTrigger,
    notifyACommit,
    delivery('notify'),
    delivery('sweep'),
    delivery('auto'),
    // The very statement of the floor, where the others call a function.
    { ...delivery('auto'), name: 'djr, auto, by INSERT', statements: inserts },
    djrWith('djr, auto, no activity', ["select djr.configure(delivery => 'auto', activity => 'off')"]),
  ];
  return {
    name: `publishers-${connections}${slowCommits ? '-slow-commits' : ''}`,
    about: `${connections} publisher${connections === 1 ? '' : 's'} as fast as ${connections === 1 ? 'it is' : 'they are'} answered, a transaction an event${
      slowCommits ? ', commits of 2 ms (commit_delay = 2000, commit_siblings = 0)' : ''
    }; a runtime delivers to one client meanwhile.`,
    size: { clients: 1, seconds: 4, rounds: 3 },
    variants: slowCommits ? variants.map(withSlowCommits) : variants,
    columns: ['published', 'call', 'call99', 'p50', 'p99', 'max'],
    ratios: ['published'],
    rest: REST,
    long: true,
    run: (round) => closedLoop(round, connections),
  };
}

export const concurrentPublishers: Scenario[] = [
  ...[1, 4, 16, 32, 64].map((connections) => publishers(connections)),
  ...[16, 64].map((connections) => publishers(connections, true)),
];

const listeners = (count: number): Variant => ({
  ...insertFloor,
  name: `${count} listener${count === 1 ? '' : 's'}`,
  floor: count === 1,
  options: { listeners: count },
});

export const manyListeners: Scenario = {
  name: 'listeners',
  about:
    'Four publishers, INSERT and NOTIFY in each commit, with 1, 10, 50 and 100 LISTEN connections on the database.',
  size: { clients: 1, seconds: 4, rounds: 3 },
  variants: [1, 10, 50, 100].map(listeners),
  columns: ['published', 'call', 'call99', 'p50', 'p99'],
  ratios: ['published'],
  long: true,
  run: (round) => closedLoop(round, 4),
};

const sized = (rows: number) => djrWith(`${rows.toLocaleString('en')} rows`, filled(rows));

const grown = (name: string, rows: string, variants: Variant[]): Scenario => ({
  name,
  about: `One publisher as fast as it is answered, into an empty djr.event and into one of ${rows}.`,
  size: { clients: 1, seconds: 4, rounds: 5 },
  variants: [{ ...djrWith('empty', []), floor: true }, ...variants],
  columns: ['published', 'call', 'call99', 'p50', 'p99'],
  ratios: ['published', 'p50'],
  long: true,
  run: (round) => closedLoop(round, 1),
});

export const tableSize = grown('table-size', 'a million rows', [sized(1_000_000)]);
export const tableSizeMost = grown('table-size-10m', 'ten million rows (a few minutes to make)', [sized(10_000_000)]);
