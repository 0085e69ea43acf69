import { setTimeout } from 'node:timers/promises';
import { merge, percentiles } from '../load/histogram.js';
import type { Sample } from '../metrics.js';
import { djrTopics, type Variant } from '../systems/variants.js';
import { connectClients, failuresOf, type Round, type Scenario } from './scenario.js';

/** Clients that hear the same topic. */
const ROOM = 10;

/** Events a second for everybody while the clients change, and how many of them. */
const RATE = 20;
const EVENTS = 60;

/** Milliseconds of them before the clients change. */
const BEFORE = 500;

/** Changes of each client in a round, of which the second is timed. */
const CHANGES = 2;

async function run(round: Round): Promise<Sample> {
  const { clients, databaseUrl, publisher, readers, system, variant } = round;
  const { port, path, protocol } = system!.address;
  const topics = Math.max(2, Math.ceil(clients / ROOM));
  await connectClients(round, { topics, shift: 2, keepId: true });
  await publisher.connect({ url: databaseUrl, connections: 1, statements: variant.statements });
  await readers.expect({ events: EVENTS, warmup: 0 });
  const before = await system!.remote.usage(null);
  // The collections of that look make V8 forget code, which a server that runs for days has compiled: the first change compiles it again.
  await readers.change({ port, path, protocol, topics, shift: 1 });
  const published = publisher.paced({ rate: RATE, events: EVENTS, warmup: 0 });
  await setTimeout(BEFORE);
  const { seconds, delays } = await readers.change({ port, path, protocol, topics });
  const after = await system!.remote.usage(null);
  await published;
  const everybody = await readers.received({ patience: 5000 });

  // Each client is in its new room, and in no other.
  await readers.expect({ events: topics, warmup: 0, topics });
  await publisher.paced({ rate: 500, events: topics, warmup: 0, toUsers: topics });
  const rooms = await readers.received({ patience: 5000 });
  await readers.close(null);
  await publisher.close(null);
  const { p50, p99 } = percentiles(merge([delays]));
  return {
    metrics: {
      allAfter: seconds * 1000,
      p50,
      p99,
      cpuEach: (after.cpu - before.cpuBehind) / clients / CHANGES,
      queries: ((after.statements ?? 0) - (before.statements ?? 0)) / CHANGES,
    },
    timeline: everybody.timeline,
    failures: [...failuresOf(everybody), ...failuresOf(rooms)],
  };
}

/** Who may hear what is asked of a function in SQL, as an app has it. */
const asked: Variant = {
  ...djrTopics('djr, asked in SQL', 1),
  options: { topics: true, askInSql: true },
  setup: [
    `create table public.member (user_id text, topic text, primary key (user_id, topic))`,
    `insert into public.member select u::text, 'room:' || r from generate_series(0, 999) u, generate_series(0, 99) r`,
    `create function public.may_hear(user_id text, topic text) returns boolean stable language sql as
      'select exists (select from public.member m where m.user_id = $1 and m.topic = $2)'`,
    `select djr.configure(authorize_topic => 'public.may_hear')`,
  ],
};

export const roomChanges: Scenario = {
  name: 'room-changes',
  about:
    '1,000 clients that all change their room at once, for the second time, each with a new stream from its last id, beside 20 events a second to everyone: until the last new stream stands.',
  size: { clients: 1000, seconds: 1, rounds: 5 },
  variants: [djrTopics('djr', 1), asked],
  columns: ['allAfter', 'p50', 'p99', 'cpuEach', 'queries'],
  ratios: [],
  long: true,
  run,
};
