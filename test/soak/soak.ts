import { setTimeout as pause } from 'node:timers/promises';
import { openServer } from '../../bench/database.js';
import type { Publisher } from '../../bench/load/publisher.js';
import type { Readers } from '../../bench/load/readers.js';
import type { Received } from '../../bench/load/tally.js';
import { type Remote, start } from '../../bench/remote.js';
import type { Address, System } from '../../bench/systems/system.js';
import { djr } from '../../bench/systems/variants.js';
import { abort, stall } from './guests.js';

export interface SoakOptions {
  /** A server to make a database on; without one an embedded PostgreSQL is started. */
  databaseUrl?: string;
  /** Streams that are open at once, beside those that come back, stall and break off. */
  clients: number;
  /** Events to every client in a round. */
  events: number;
  /** Whether there is another round. */
  rounds: (done: number) => boolean;
  /** Told of each round; 0 and below: it warms up. */
  onRound?: (round: SoakRound, number: number) => void;
}

/** What the server holds when a round's clients have left, and what the round was. */
export interface SoakRound {
  /** Bytes after collections, buffers included. */
  readonly heap: number;
  /** Bytes of buffers. */
  readonly external: number;
  readonly rss: number;
  /** Open sockets: those to the database are what may be left. */
  readonly sockets: number;
  readonly timers: number;
  /** Of the server to the database. */
  readonly connections: number;
  readonly deliveries: number;
  /** Clients that came back and got what they had missed from memory, and from storage. */
  readonly memory: number;
  readonly storage: number;
  /** Clients that read nothing and were closed at their bound. */
  readonly slow: number;
  readonly aborted: number;
  /** What must not be, in words. */
  readonly failures: string[];
}

/** Rounds before the first that counts: code is compiled, pools and history are filled. */
const WARM_ROUNDS = 2;

/**
 * Events for the clients that stall: as many as the history keeps, so that it is the same after every round, and the
 * events before them have to come from storage.
 */
const FLOOD = 1000;
const FLOOD_BYTES = 5000;
/** What the kernel buffers and a client's bound are less than this many floods. */
const MOST_FLOODS = 20;
const SLOW = 'slow';

const PATIENCE = 30_000;

/** Milliseconds in which the heap falls no more: what was read from storage for many clients is kept for ten seconds. */
const REST = 12_000;

/** Those that come back, of all clients, and those that break off; those that stall cost megabytes each. */
export const shares = (clients: number) => ({
  back: Math.ceil(clients / 10),
  stalled: Math.min(20, Math.ceil(clients / 50)),
  aborted: Math.ceil(clients / 10),
});

/**
 * Rounds of clients that come, get events and leave, against a server in a process of its own. In each, some come back
 * with an id that is in memory, some with one that is not, some stop reading, and some break off.
 *
 * @returns the rounds, the one that the others are compared with first
 */
export async function soak({ databaseUrl, rounds, onRound, ...load }: SoakOptions): Promise<SoakRound[]> {
  const server = await openServer(databaseUrl);
  const scene: Scene = {
    readers: start<Readers>('readers'),
    comers: start<Readers>('readers'),
    publisher: start<Publisher>('publisher'),
    system: start<System>('djr'),
    address: { port: 0, path: '' },
  };
  try {
    const url = await server.create('soak');
    scene.address = await scene.system.listen({ databaseUrl: url, historyEvents: FLOOD, errorsOnly: true });
    await scene.publisher.connect({ url, connections: 1, statements: djr.statements });
    for (let warm = WARM_ROUNDS; warm > 0; warm -= 1) onRound?.(await round(scene, load, 0), 1 - warm);
    const all: SoakRound[] = [];
    do {
      const done = await round(scene, load, REST);
      all.push(done);
      onRound?.(done, all.length);
    } while (rounds(all.length));
    return all;
  } finally {
    const { readers, comers, publisher, system } = scene;
    await Promise.all([readers.end(), comers.end(), publisher.end(), system.end()]);
    await server.close();
  }
}

interface Scene {
  readonly readers: Remote<Readers>;
  /** Those that come in the midst of a round. */
  readonly comers: Remote<Readers>;
  readonly publisher: Remote<Publisher>;
  readonly system: Remote<System>;
  address: Address;
}

async function round(
  scene: Scene,
  { clients, events }: Pick<SoakOptions, 'clients' | 'events'>,
  rest: number,
): Promise<SoakRound> {
  const { readers, publisher, address } = scene;
  const { back, stalled, aborted } = shares(clients);
  const before = await metrics(address);
  const lastEventId = await readers.position(address);
  await readers.connect({ ...address, clients });
  await readers.expect({ events, warmup: 0 });
  await publisher.burst({ events, together: true });
  const all = await readers.received({ patience: PATIENCE });

  const fromMemory = await comeBack(scene, 'memory', lastEventId, back, events);
  const fast = await flood(scene, lastEventId, stalled, before);
  const fromStorage = await comeBack(scene, 'storage', lastEventId, back, events);
  await abort(address, lastEventId, aborted);
  await readers.close(null);

  const left = await look(scene, rest);
  const after = await metrics(address);
  const since = (name: string) => after(name) - before(name);
  const [memory, storage] = [since(resumes('memory')), since(resumes('storage'))];
  const slow = since(closed('slow'));
  const failures = [
    ...wrong('clients', all),
    ...wrong('clients that came back to memory', fromMemory),
    // From storage it is at least once.
    ...wrong('clients that came back to storage', { ...fromStorage, repeated: 0 }),
    ...wrong('the client that read beside those that stalled', fast),
  ];
  if (memory < back) failures.push(`${memory} of ${back} came back to memory`);
  if (storage < back) failures.push(`${storage} of ${back} came back to storage`);
  if (slow !== stalled) failures.push(`${slow} of ${stalled} that stalled were closed at their bound`);
  if (left.clients > 0) failures.push(`${left.clients} clients are still there`);
  if (left.sockets > left.connections)
    failures.push(`${left.sockets} sockets are open, of which ${left.connections} are the database's`);
  if (left.busy > 0) failures.push(`${left.busy} connections to the database are busy`);
  const deliveries = [all, fromMemory, fromStorage, fast].reduce((sum, { deliveries }) => sum + deliveries, 0);
  return { ...left, deliveries, memory, storage, slow, aborted, failures };
}

/** Clients with an id from before the round's events, and what they get. */
async function comeBack(
  { comers, address }: Scene,
  source: 'memory' | 'storage',
  lastEventId: string,
  clients: number,
  events: number,
): Promise<Received> {
  const before = (await metrics(address))(resumes(source));
  await comers.expect({ events, warmup: 0, clients });
  await comers.connect({ ...address, clients, lastEventId });
  const received = await comers.received({ patience: PATIENCE });
  // A resume is done when its client is live, a moment after it has everything.
  await until(async () => (await metrics(address))(resumes(source)) - before >= clients);
  await comers.close(null);
  return received;
}

/** Publishes to clients that do not read, and to one that does, until the server has closed the former. */
async function flood(
  { comers, publisher, address }: Scene,
  lastEventId: string,
  clients: number,
  before: Metrics,
): Promise<Received> {
  const stalled = await stall(address, SLOW, lastEventId, clients);
  await comers.expect({ events: 0, warmup: 0, clients: 1 });
  await comers.connect({ ...address, path: address.path.replace('USER', SLOW), clients: 1 });
  let sent = 0;
  let received: Received;
  do {
    await publisher.query(`insert into djr.event (scope, user_id, type, detail)
      select 'user', '${SLOW}', 'flood', jsonb_build_object('n', n, 't', 0, 'pad', repeat('x', ${FLOOD_BYTES}))
        from generate_series(${sent}, ${sent + FLOOD - 1}) n`);
    sent += FLOOD;
    received = await comers.received({ patience: PATIENCE, events: sent });
    const gone = (await metrics(address))(closed('slow')) - before(closed('slow'));
    if (gone >= clients) break;
  } while (sent < MOST_FLOODS * FLOOD);
  await comers.close(null);
  for (const socket of stalled) socket.destroy();
  return received;
}

/** What is left when all have gone: sockets are closed one by one, and a heap is only known when it falls no more. */
async function look({ system, publisher, address }: Scene, rest: number) {
  const see = async () => {
    const { heap, external, rss, resources } = await system.usage(null);
    const [backends] = await publisher.query(`select count(*)::int as connections,
        count(*) filter (where state <> 'idle')::int as busy
      from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`);
    return {
      heap,
      external,
      rss,
      sockets: resources.TCPSocketWrap ?? 0,
      timers: resources.Timeout ?? 0,
      ...(backends as { connections: number; busy: number }),
      clients: (await metrics(address))('djr_connections'),
    };
  };
  let settled = await see();
  await until(async () => {
    settled = await see();
    return settled.clients === 0 && settled.sockets <= settled.connections && settled.busy === 0;
  });
  let least = settled;
  let since = performance.now();
  // The last look is behind the rest, however long one takes on a busy machine.
  do {
    await pause(500);
    const seen = await see();
    // A heap at rest still goes up and down by some kilobytes.
    if (seen.heap < least.heap - 2 ** 18) since = performance.now();
    if (seen.heap < least.heap) least = seen;
  } while (performance.now() - since < rest);
  // The server goes on sweeping: at any later look a connection may be busy, or a new one not yet counted.
  return { ...settled, heap: least.heap, external: least.external, rss: least.rss };
}

/** What never comes true shows in what is compared afterwards. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const began = performance.now(); performance.now() - began < PATIENCE; ) {
    if (await condition()) return;
    await pause(100);
  }
}

const resumes = (source: string) => `djr_resume_duration_seconds_count{source="${source}"}`;
const closed = (reason: string) => `djr_connections_closed_total{reason="${reason}"}`;

type Metrics = (name: string) => number;

async function metrics({ port }: Address): Promise<Metrics> {
  // A connection that is kept alive would be one of the server's sockets.
  const response = await fetch(`http://127.0.0.1:${port}/realtime/metrics`, { headers: { connection: 'close' } });
  const lines = (await response.text()).split('\n');
  return (name) => Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? 0);
}

function wrong(who: string, { missing, repeated, foreign, closed }: Received): string[] {
  const counts = { missing, repeated, foreign, closed };
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${who}: ${count} ${what}`]));
}

export type Figure = 'heap' | 'external' | 'rss' | 'sockets' | 'timers' | 'connections';

/** A figure at the beginning and at the end: the least of the first third of rounds, and of the last. */
export function compare(rounds: readonly SoakRound[], figure: Figure): { first: number; last: number; grown: number } {
  const third = Math.max(1, Math.floor(rounds.length / 3));
  const least = (some: readonly SoakRound[]) => Math.min(...some.map((round) => round[figure]));
  const [first, last] = [least(rounds.slice(0, third)), least(rounds.slice(-third))];
  return { first, last, grown: last - first };
}
