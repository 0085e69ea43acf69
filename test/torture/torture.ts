import pg from 'pg';
import { startEmbedded } from '../../src/database/embedded.js';
import { migrate } from '../../src/database/migrate.js';
import { Faults } from './faults.js';
import { Instances } from './instances.js';
import { pause, Random } from './random.js';
import { Findings, Reader } from './reader.js';
import { Ledger, Writer } from './writer.js';

export interface TortureOptions {
  seconds: number;
  seed: number;
  readers: number;
  /** Events a second that the writers aim at. */
  rate: number;
  log(line: string): void;
}

export interface TortureResult {
  /** Stored in the end. */
  events: number;
  rolledBack: number;
  deliveries: number;
  connections: number;
  resumes: number;
  faults: ReadonlyMap<string, number>;
  /** Entitled, committed after the reader's first connected frame, and never received. */
  lost: string[];
  /** Readers to which events still came when the patience was over: what they lack is not known to be lost. */
  behind: string[];
  /** Received by whom it is not for, or not in the database at all. */
  foreign: string[];
  /** Two clients of one instance got two orders. */
  disorder: string[];
  repeats: number;
  resets: ReadonlyMap<string, number>;
  /** Requests that were not let in, by status. */
  refusals: ReadonlyMap<string, number>;
  /** Runtimes that ended by themselves. */
  crashes: number;
}

const WRITERS = 20;
const USERS = Array.from({ length: 12 }, (_, i) => `user-${i}`);

/** Small where the default is large, so that seconds reach what takes days otherwise. */
const INSTANCE = {
  heartbeat: 200,
  retry: 10,
  sweepInterval: 500,
  probeInterval: 1000,
  historyEvents: 300,
  resumeLimit: 1_000_000,
  shutdownGrace: 500,
  maxClientBytes: 64 * 1024,
};

interface Stored {
  id: string;
  n: number;
  scope: 'user' | 'public' | 'system';
  user_id: string | null;
}

/** Writers, readers and faults for so many seconds; then compares what each reader got with what the database says. */
export async function torture({ seconds, seed, readers: count, rate, log }: TortureOptions): Promise<TortureResult> {
  const random = new Random(seed);
  // A killed process leaves what it wrote to the operating system: fsync is for power cuts.
  const server = await startEmbedded({
    settings: { fsync: 'off', synchronous_commit: 'on', max_connections: '200' },
  });
  const database = new URL(server.url);
  database.pathname = '/torture';
  const instances = new Instances(database.href, INSTANCE, log);
  const findings = new Findings();
  const ledger = new Ledger();
  const readers = Array.from({ length: count }, (_, i) => {
    const user = i % 10 === 9 ? null : USERS[i % USERS.length]!;
    return new Reader(user, random.fork(), () => instances.ports, findings);
  });
  // A transaction has about four events, and takes some 30 ms beside the pause.
  const period = Math.max(0, (WRITERS * 4 * 1000) / rate - 30);
  const writers = Array.from(
    { length: WRITERS },
    () => new Writer(database.href, USERS, random.fork(), ledger, period),
  );
  const faults = new Faults(server, database.href, instances, random.fork());
  const ends: (() => unknown)[] = [];
  try {
    const admin = new pg.Client(server.url);
    await admin.connect();
    await admin.query('create database torture');
    await admin.end();
    await migrate(database.href);
    await instances.prepare(3);
    await Promise.all([instances.start(0), instances.start(1)]);
    ends.push(() => instances.endAll());

    const reading = readers.map((reader) => reader.run());
    ends.push(() => {
      for (const reader of readers) reader.stop();
      return Promise.all(reading);
    });
    const writing = writers.map((writer) => writer.run());
    const harm = faults.run();
    ends.push(() => faults.end());
    const progress = setInterval(() => {
      const harmed = [...faults.counts.values()].reduce((sum, faulted) => sum + faulted, 0);
      log(`${ledger.length} events tried, ${findings.deliveries} deliveries, ${harmed} faults`);
    }, 10_000);
    ends.push(() => clearInterval(progress));
    await pause(seconds * 1000);
    faults.stop();
    await harm;
    for (const writer of writers) writer.stop();
    await Promise.all(writing);
    for (const reader of readers) reader.calm();

    // Committed when every other transaction has ended: whoever has it has no more to wait for.
    const marker = await mark(database.href, ledger);
    const stored = await readStored(database.href);
    const lacking = lack(stored, readers, ledger);
    const behind = await settle(readers, marker, lacking, log);
    const compared = { ...compare(stored, readers, lacking, marker, behind), behind: behind.map(describe) };
    if (compared.lost.length > 0) log(await instances.health());
    return {
      events: stored.length,
      rolledBack: ledger.rolledBack,
      deliveries: findings.deliveries,
      connections: findings.connections,
      resumes: findings.resumes,
      faults: faults.counts,
      ...compared,
      disorder: findings.disorder,
      repeats: findings.repeats,
      resets: findings.resets,
      refusals: findings.refusals,
      crashes: instances.crashes,
    };
  } finally {
    for (const end of ends.reverse()) await end();
    await server.dispose();
  }
}

async function readStored(url: string): Promise<Stored[]> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<Stored>("select id, (detail ->> 'n')::int as n, scope, user_id from djr.event");
  await client.end();
  return rows;
}

async function mark(url: string, ledger: Ledger): Promise<number> {
  const n = ledger.take();
  ledger.commits([n]);
  const client = new pg.Client(url);
  await client.connect();
  await client.query("select djr.publish_global('note', jsonb_build_object('n', $1::int))", [n]);
  await client.end();
  return n;
}

type Lacking = (reader: Reader) => Stored[];

const isEntitled = (user: string | null, { scope, user_id }: Stored): boolean =>
  scope === 'public' || (scope === 'user' && user_id === user && user !== null);

/** What is each user's is worked out once: looking must not take the time that the readers need in the same process. */
function lack(stored: readonly Stored[], readers: readonly Reader[], ledger: Ledger): Lacking {
  const users = new Set(readers.map(({ user }) => user));
  const entitled = new Map([...users].map((user) => [user, stored.filter((event) => isEntitled(user, event))]));
  return (reader) =>
    entitled.get(reader.user)!.filter(({ n }) => ledger.sentAt(n) > reader.since && !reader.got.has(n));
}

const SILENCE = 30_000;
const PATIENCE = 600_000;

const describe = ({ user }: Reader): string => user ?? 'an anonymous reader';

/**
 * Waits for each reader until it lacks nothing, or until nothing came to it for half a minute. On a busy machine a reader may
 * be far behind, which is no loss. Returns who still receives when the patience is over.
 */
async function settle(
  readers: readonly Reader[],
  marker: number,
  lacking: Lacking,
  log: (line: string) => void,
): Promise<Reader[]> {
  const begin = performance.now();
  let open = [...readers];
  for (;;) {
    const now = performance.now();
    open = open.filter((reader) => lacking(reader).length > 0);
    const receiving = open.filter((reader) => now - Math.max(begin, reader.heard) < SILENCE);
    if (receiving.length === 0) return [];
    if (now - begin > PATIENCE) return receiving;
    const unmarked = open.filter((reader) => !reader.got.has(marker)).length;
    log(`settling: ${open.length} readers lack something, ${unmarked} of them the last event as well`);
    await pause(2000);
  }
}

function compare(
  stored: readonly Stored[],
  readers: readonly Reader[],
  lacking: Lacking,
  marker: number,
  behind: readonly Reader[],
) {
  const lost: string[] = [];
  const foreign: string[] = [];
  const byNumber = new Map(stored.map((event) => [event.n, event]));
  for (const reader of readers) {
    // A gap is a loss however much still comes; without the last event it may be on its way.
    if (!behind.includes(reader) || reader.got.has(marker)) {
      const how = reader.got.has(marker) ? 'a gap' : 'silence';
      for (const event of lacking(reader)) lost.push(`event ${event.id} to ${describe(reader)}: ${how}`);
    }
    for (const n of reader.got) {
      const event = byNumber.get(n);
      if (!event) foreign.push(`number ${n}, which is not in the database, to ${reader.user}`);
      else if (!isEntitled(reader.user, event)) foreign.push(`event ${event.id} of ${event.user_id} to ${reader.user}`);
    }
  }
  return { lost, foreign };
}

/** One table, for people. */
export function table(result: TortureResult): string {
  const rows: [string, string | number][] = [
    ['events', result.events],
    ['transactions rolled back', result.rolledBack],
    ['deliveries', result.deliveries],
    ['connections', result.connections],
    ['resumes', result.resumes],
    ...[...result.faults].sort().map(([name, count]): [string, number] => [`fault: ${name}`, count]),
    ...[...result.resets].map(([reason, count]): [string, number] => [`reset: ${reason}`, count]),
    ...[...result.refusals].map(([status, count]): [string, number] => [`refused: ${status}`, count]),
    ['repeats', result.repeats],
    ['out of order', result.disorder.length],
    ['runtimes that crashed', result.crashes],
    ['foreign', result.foreign.length],
    ['readers still behind', result.behind.length],
    ['lost', result.lost.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value.toLocaleString('en').padStart(12)}`).join('\n');
}
