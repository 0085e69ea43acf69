import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parsePosition } from '../../src/event/position.js';
import { createRealtime } from '../../src/index.js';
import { type Cluster, startCluster } from '../helpers/cluster.js';
import { type DatabaseProxy, startProxy } from '../helpers/proxy.js';
import { recordingLogger, startServer, until } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

async function startInstance(t: ExecutionContext, url: string, options = {}) {
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({ database: url, logger, heartbeat: 100, sweepInterval: 100, ...options });
  const server = await startServer(t, realtime);
  await realtime.start();
  return { ...server, realtime, lines };
}

for (const mode of ['fast', 'immediate'] as const) {
  test(`a runtime goes on when PostgreSQL is stopped (${mode}) and started, and its clients stay`, async (t) => {
    const cluster = await startCluster(t);
    const app = await startInstance(t, cluster.url);
    const stream = await app.stream();
    await cluster.query(PUBLISH, [1]);
    const id = (await stream.count(1))[0]!.id!;
    await cluster.server.stop(mode);
    await until('health says so', () => !app.realtime.health().ok);
    await cluster.server.start();
    await cluster.query(PUBLISH, [2]);
    t.deepEqual(numbers(await stream.count(2)), [1, 2]);
    t.false(stream.ended);
    await until('health is well again', () => app.realtime.health().ok);

    // Whoever was cut off before comes back as well: here, and to an instance that never knew the time before.
    const other = await startInstance(t, cluster.url);
    for (const instance of [app, other]) {
      const resumed = await instance.stream('', { lastEventId: id });
      t.deepEqual(numbers(await resumed.count(1)).slice(-1), [2]);
      t.deepEqual(resumed.resets, []);
    }
  });
}

/** Uses transaction ids up that leave no trace in the log, until a client's frontier counts them as past. */
async function spendXids(cluster: Cluster, lastEventId: () => string): Promise<number> {
  const client = await cluster.connect();
  let last = 0;
  for (let i = 0; i < 20; i += 1) {
    await client.query('begin');
    const { rows } = await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
    last = Number(rows[0]!.xid);
    await client.query('rollback');
  }
  await until('a sweep has seen them', () => (parsePosition(lastEventId())?.frontier.xmax ?? 0) > last);
  return last;
}

/** Nothing writes the log out but a commit, and a process of PostgreSQL's each ten seconds. */
const LAZY_LOG = { wal_writer_delay: '10s', autovacuum: 'off', checkpoint_timeout: '1h', bgwriter_delay: '10s' };

/** A cluster in which a crash forgets transactions: not even that an instance says that it is there writes the log out. */
async function startForgetful(t: ExecutionContext): Promise<Cluster> {
  const cluster = await startCluster(t, LAZY_LOG);
  await cluster.query('drop table djr.instance cascade');
  return cluster;
}

const xidOf = async (cluster: Cluster, n: number): Promise<number> => {
  const rows = await cluster.query<{ xid: string }>(
    "select xid::text from djr.event where (detail ->> 'n')::int = $1",
    [n],
  );
  return Number(rows[0]!.xid);
};

/**
 * A crash that forgets transactions which the stream counts as past, and an event with the id of one of them, published
 * while the runtime behind the proxy still sees nothing. Where the ten seconds ended in between, nothing was forgotten, and
 * it begins again.
 */
async function crashForgetfully(cluster: Cluster, proxy: DatabaseProxy, stream: Stream) {
  for (let n = 100; ; n += 1) {
    const spent = await spendXids(cluster, () => stream.lastEventId);
    const { lastEventId } = stream;
    proxy.mode = 'refuse';
    proxy.cut();
    await cluster.server.stop('immediate');
    await cluster.server.start();
    await cluster.query(PUBLISH, [n]);
    if ((await xidOf(cluster, n)) <= spent) return { n, lastEventId };
    proxy.mode = 'pass';
    await stream.until(`event ${n}`, () => numbers(stream.events).includes(n));
  }
}

test('an event whose transaction id comes again after a crash is not lost, to runtimes and to resumes', async (t) => {
  const cluster = await startForgetful(t);
  const proxy = await startProxy(t, cluster.url);
  const app = await startInstance(t, proxy.url);
  const stream = await app.stream();
  await cluster.query(PUBLISH, [1]);
  await stream.count(1);
  // Its first sweep after the crash must find the event.
  const { n, lastEventId } = await crashForgetfully(cluster, proxy, stream);
  const before = numbers(stream.events);

  const fresh = await startInstance(t, cluster.url);
  const resumed = await fresh.stream('', { lastEventId });
  t.deepEqual(numbers(await resumed.count(1)), [n]);
  t.deepEqual(resumed.resets, []);

  // Neither to many at once, for whom storage is read together.
  const forgets = await startInstance(t, cluster.url, { historyEvents: 0 });
  const many = await Promise.all(Array.from({ length: 30 }, () => forgets.stream('', { lastEventId })));
  for (const one of many) t.deepEqual(numbers(await one.count(1)), [n]);

  proxy.mode = 'pass';
  t.deepEqual(numbers(await stream.count(before.length + 1)), [...before, n]);
  await cluster.query(PUBLISH, [2]);
  t.deepEqual(numbers(await stream.count(before.length + 2)), [...before, n, 2]);
});

test('what is published between two crashes is not lost to a runtime that was away for both', async (t) => {
  const cluster = await startForgetful(t);
  const proxy = await startProxy(t, cluster.url);
  const app = await startInstance(t, proxy.url);
  const stream = await app.stream();
  const { n } = await crashForgetfully(cluster, proxy, stream);
  const before = numbers(stream.events);
  await cluster.server.stop('immediate');
  await cluster.server.start();
  proxy.mode = 'pass';
  t.deepEqual(numbers(await stream.count(before.length + 1)), [...before, n]);
});

test('an id from before a restore elsewhere is told to reset', async (t) => {
  const cluster = await startCluster(t);
  const app = await startInstance(t, cluster.url);
  const stream = await app.stream();
  await cluster.query(PUBLISH, [1]);
  const id = (await stream.count(1))[0]!.id!;
  const [instance, sequence, epoch, ...rest] = id.split('.');
  const elsewhere = [instance, sequence, epoch!.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')), ...rest].join('.');
  const resumed = await app.stream('', { lastEventId: elsewhere });
  const reset = await resumed.event('reset');
  t.regex(String(reset.data.reason), /replaced or restored/);
  // And then live.
  await cluster.query(PUBLISH, [2]);
  t.deepEqual(numbers(await resumed.count(1)), [2]);
});

test('after a recovery to a new timeline every client of a running runtime is told to reset, and gets what comes then', async (t) => {
  const cluster = await startCluster(t, { restore_command: 'false' });
  const app = await startInstance(t, cluster.url);
  const stream = await app.stream();
  await cluster.query(PUBLISH, [1]);
  const lastEventId = (await stream.count(1))[0]!.id!;
  await cluster.server.stop('fast');
  // Archive recovery without an archive: what a point-in-time restore ends with.
  const signal = path.join(cluster.server.directory, 'recovery.signal');
  await writeFile(signal, '');
  await chmod(signal, 0o666);
  await cluster.server.start();
  const reset = await stream.event('reset');
  t.regex(String(reset.data.reason), /replaced or restored/);
  const told = await app.stream('', { lastEventId: reset.id! });
  t.deepEqual(told.resets, [], 'who comes back with the id of the reset is not told a second time');
  await cluster.query(PUBLISH, [2]);
  t.deepEqual(numbers(await stream.count(2)), [1, 2]);

  const resumed = await app.stream('', { lastEventId });
  t.regex(String((await resumed.event('reset')).data.reason), /replaced or restored/);
  const back = await app.stream('', { lastEventId: stream.lastEventId });
  await cluster.query(PUBLISH, [3]);
  t.is(numbers(await back.count(1)).at(-1), 3);
  t.deepEqual(back.resets, [], 'an id from after the recovery is good');
});
