import pg from 'pg';
import { migrate } from '../../src/install/migrate.js';
import { startEmbedded } from '../../src/testing/embedded.js';
import { startNats } from '../helpers/nats-servers.js';
import { Browsers, type Tab } from './browsers.js';
import { EDGES, Faults } from './faults.js';
import { Instances } from './instances.js';
import { judgePassing, passInCalm } from './passing.js';
import { pause, Random } from './random.js';
import { Findings, Reader } from './reader.js';
import { RelayUnderTorture } from './relay-faults.js';
import { heal, judgeUnstored } from './unstored.js';
import { index, judge, type Stored, type Verdict } from './verdict.js';
import { Ledger, TABLE, Writer } from './writer.js';

export interface TortureOptions {
  seconds: number;
  seed: number;
  readers: number;
  /** False: events by NOTIFY alone, and what is promised then. */
  storage: boolean;
  /** Servers of the relay beside the database, and two edges on them; 0: none. */
  relay?: 0 | 1 | 3;
  /** What the edges take in; `both`: one of each. */
  interest?: 'all' | 'own' | 'both';
  /** Tabs of real browsers. */
  browsers: number;
  /** Events a second that the writers aim at. */
  rate: number;
  log(line: string): void;
}

export interface TortureResult {
  storage: boolean;
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
  /** Deliveries of events that NOTIFY cannot carry, and of events without a row. */
  kinds: { large: number; passing: number };
  /** Events without a row that reached somebody who must not have them, twice, or out of order. */
  passingFaults: string[];
  /** Two clients of one instance got two orders. */
  disorder: string[];
  /** Topics that readers lost though they may hear them. */
  taken: number;
  repeats: number;
  browserDeliveries: number;
  /** Events that the code of one page got twice. */
  browserRepeats: string[];
  resets: ReadonlyMap<string, number>;
  /** Requests that were not let in, by status. */
  refusals: ReadonlyMap<string, number>;
  /** Runtimes that ended by themselves. */
  crashes: number;
}

const WRITERS = 20;
/** How long events are published without harm, where only those can be relied on. */
const CALM = 3000;
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

/** Writers, readers and faults for so many seconds; then compares what each reader got with what the database says. */
export async function torture({
  seconds,
  seed,
  readers: count,
  browsers: tabs,
  storage,
  rate,
  relay = 0,
  interest = 'both',
  log,
}: TortureOptions): Promise<TortureResult> {
  const random = new Random(seed);
  // A killed process leaves what it wrote to the operating system: fsync is for power cuts.
  const server = await startEmbedded({
    settings: { fsync: 'off', synchronous_commit: 'on', max_connections: '200' },
  });
  const database = new URL(server.url);
  database.pathname = '/torture';
  const ends: (() => unknown)[] = [];
  const nats = relay === 0 ? undefined : await startNats({ teardown: (end) => ends.push(end) }, { count: relay });
  const engine = nats && new RelayUnderTorture(nats, random.fork());
  if (engine) ends.push(() => engine.stop());
  const ways = await Promise.all(engine ? EDGES.map(() => engine.wayForEdge()) : []);
  const optionsOf = (slot: number): object => {
    if (!nats) return INSTANCE;
    const edge = EDGES.indexOf(slot);
    if (edge < 0) return { ...INSTANCE, relay: { servers: nats.urls } };
    const own = interest === 'both' ? (edge === 0 ? 'all' : 'own') : interest;
    return { ...INSTANCE, relay: { servers: ways[edge], interest: own } };
  };
  const instances = new Instances(database.href, optionsOf, log, (slot) => EDGES.includes(slot));
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
    () => new Writer(database.href, USERS, random.fork(), ledger, period, storage),
  );
  const faults = new Faults(server, database.href, instances, ledger, random.fork(), storage, USERS, engine);
  const browsers = new Browsers(tabs, USERS, database.href, random.fork(), () => instances.ports);
  try {
    const admin = new pg.Client(server.url);
    await admin.connect();
    await admin.query('create database torture');
    await admin.end();
    await migrate(database.href);
    const app = new pg.Client(database.href);
    await app.connect();
    await app.query(TABLE);
    await app.query('select djr.configure(storage => $1)', [storage]);
    await app.end();
    await instances.prepare(nats ? 5 : 3);
    await Promise.all([0, 1, ...(nats ? EDGES : [])].map((slot) => instances.start(slot)));
    ends.push(() => instances.endAll());

    const reading = readers.map((reader) => reader.run());
    ends.push(() => {
      for (const reader of readers) reader.stop();
      return Promise.all(reading);
    });
    ends.push(() => browsers.stop());
    await browsers.start();
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
    const publish = () => mark(database.href, ledger);
    let calm = 0;
    if (!storage) {
      await faults.release();
      for (const reader of readers) reader.calm();
      await heal(readers, publish);
      calm = performance.now();
      await pause(CALM);
    }
    for (const writer of writers) writer.stop();
    await Promise.all(writing);
    await faults.release();
    for (const reader of readers) reader.calm();
    browsers.calm();

    // Committed when every other transaction has ended: whoever has it has no more to wait for.
    const marker = await publish();
    const stored = await readStored(database.href);
    let verdict: Verdict;
    if (storage) {
      verdict = await judge(stored, [...readers, ...browsers.tabs], ledger, marker, log);
      verdict.lost.push(...(await passInCalm(database.href, readers, USERS, ledger)));
    } else {
      await heal(readers, publish);
      verdict = judgeUnstored(readers, ledger, findings, calm);
    }
    for (const reason of browsers.tabs.flatMap(({ resets }) => resets)) findings.reset(reason);
    if (verdict.lost.length > 0) log(await instances.health());
    return {
      storage,
      events: storage ? stored.length : ledger.committed,
      rolledBack: ledger.rolledBack,
      deliveries: findings.deliveries,
      connections: findings.connections,
      resumes: findings.resumes,
      faults: new Map([...faults.counts, ...browsers.counts, ['reader paused', findings.pauses]]),
      ...verdict,
      kinds: { large: findings.large, passing: findings.passing },
      passingFaults: storage ? judgePassing(readers, ledger, !nats) : [],
      disorder: findings.disorder,
      taken: findings.taken,
      repeats: findings.repeats,
      browserDeliveries: browsers.tabs.reduce((sum, { deliveries }) => sum + deliveries, 0),
      browserRepeats: repeatsIn(browsers.tabs, stored),
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
  const { rows } = await client.query<Stored>(
    "select id::int, (detail ->> 'n')::int as n, replay_of is not null as replay, scope, user_id, topic from djr.event where scope <> 'control'",
  );
  await client.end();
  return rows;
}

async function mark(url: string, ledger: Ledger): Promise<{ id: number; n: number }> {
  const n = ledger.take();
  ledger.commits([n]);
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(
    "select djr.publish_global('note', jsonb_build_object('n', $1::int))::int as id",
    [n],
  );
  await client.end();
  return { id: rows[0].id, n };
}

/** What a page got more often than it was published. What comes again to a page loaded anew is no repeat. */
function repeatsIn(tabs: readonly Tab[], stored: readonly Stored[]): string[] {
  const { byNumber } = index(stored);
  return tabs.flatMap((tab) =>
    tab.lives.flatMap((life) =>
      [...life]
        .filter(([n, count]) => count > (byNumber.get(n)?.length ?? 0))
        .map(([n, count]) => `number ${n} came ${count} times to a page of ${tab.name}`),
    ),
  );
}

/** Of what bare readers got, how much they had already: 0 to 1. */
export const repeatShare = ({ repeats, deliveries }: TortureResult): number => repeats / Math.max(1, deliveries);

/** One table, for people. */
export function table(result: TortureResult): string {
  const rows: [string, string | number][] = [
    ['events', result.events],
    ['transactions rolled back', result.rolledBack],
    ['deliveries', result.deliveries],
    ['deliveries to browser tabs', result.browserDeliveries],
    ['deliveries of large events', result.kinds.large],
    ['deliveries without a row', result.kinds.passing],
    ['connections', result.connections],
    ['resumes', result.resumes],
    ...[...result.faults].sort().map(([name, count]): [string, number] => [`fault: ${name}`, count]),
    ...[...result.resets].map(([reason, count]): [string, number] => [`reset: ${reason}`, count]),
    ...[...result.refusals].map(([status, count]): [string, number] => [`refused: ${status}`, count]),
    ['repeats, bare readers', `${result.repeats} (${(repeatShare(result) * 100).toFixed(2)} %)`],
    ['repeats, browser tabs', result.browserRepeats.length],
    ['faults without a row', result.passingFaults.length],
    ['out of order', result.disorder.length],
    ['topics lost wrongly', result.taken],
    ['runtimes that crashed', result.crashes],
    ['foreign', result.foreign.length],
    ['still behind', result.behind.length],
    ['lost', result.lost.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value.toLocaleString('en').padStart(12)}`).join('\n');
}

/** What a client is told that comes back to another instance, or too late to its own, while storage is off. */
export const UNSTORED = 'events are not stored';

/** Whether nothing happened that must not. */
export const isSound = ({
  storage,
  lost,
  behind,
  foreign,
  disorder,
  passingFaults,
  browserRepeats,
  crashes,
  taken,
  resets,
}: TortureResult): boolean =>
  [...resets.keys()].every((reason) => !storage && reason === UNSTORED) &&
  [lost, behind, foreign, disorder, passingFaults, browserRepeats].flat().length + taken + crashes === 0;
