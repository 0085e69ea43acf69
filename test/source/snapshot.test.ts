import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import pg from 'pg';
import { readEpoch, renewEpoch } from '../../src/source/postgres/epoch.js';
import { startCluster } from '../helpers/cluster.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

const cp = promisify(execFile);
const PUBLISH = "select djr.publish_public('note', jsonb_build_object('n', $1::int)) as id";

test('A storage snapshot that is rolled back tells every client to reset, delivers what comes then, and ids of before are a reset', async (t) => {
  const cluster = await startCluster(t);
  const { server, url } = cluster;
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const db: TestDatabase = { url, name: 'postgres', pool, query: cluster.query, connect: () => cluster.connect() };
  await cluster.query(PUBLISH, [1]);
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-snapshot-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await server.stop('fast');
  await cp('cp', ['-a', `${server.directory}/.`, folder]);
  await server.start();

  // The second one has delivered nothing that is lost, and still has to hear of it.
  const options = { sweepInterval: 50, probeInterval: 1000 };
  const app = await startApp(t, options, db);
  const idle = await startApp(t, { ...options, onReceive: () => null }, db);
  const [live, other] = [await app.stream(), await idle.stream()];
  for (let n = 2; n <= 6; n += 1) await cluster.query(PUBLISH, [n]);
  await live.count(5);
  const lost = live.lastEventId;

  await server.stop('fast');
  await cp('sh', ['-c', `rm -rf ${server.directory}/* && cp -a ${folder}/. ${server.directory}`]);
  await server.start();
  await live.event('reset');
  await other.event('reset');
  // The ids come again.
  for (let n = 12; n <= 16; n += 1) await cluster.query(PUBLISH, [n]);
  await live.count(10);
  t.deepEqual(
    live.events.map(({ data }) => data.n),
    [2, 3, 4, 5, 6, 12, 13, 14, 15, 16],
  );
  t.is(live.resets.length, 1);
  const fresh = await startApp(t, {}, db);
  for (const instance of [app, idle, fresh]) {
    const back = await instance.stream('', { lastEventId: lost });
    t.truthy(await back.event('reset'));
  }
  // And the new ones resume everywhere.
  const resumed = await fresh.stream('', { lastEventId: live.lastEventId });
  await cluster.query(PUBLISH, [17]);
  await resumed.until('17', () => resumed.events.some(({ data }) => data.n === 17));
  t.deepEqual(resumed.resets, []);
});

test('A restart that loses nothing is no reset', async (t) => {
  const { server, url, query } = await startCluster(t);
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const db = { url, name: 'postgres', pool, query } as unknown as TestDatabase;
  const app = await startApp(t, { sweepInterval: 50 }, db);
  const stream = await app.stream();
  await query(PUBLISH, [1]);
  await stream.count(1);
  await query('delete from djr.event');
  await server.stop('fast');
  await server.start();
  await until('the runtime', () => app.realtime.health().ok);
  await query(PUBLISH, [2]);
  await stream.count(2);
  t.deepEqual(stream.resets, []);
});

test('Two instances that notice the same rollback begin one epoch, however late the second comes', async (t) => {
  const { pool } = await createDatabase(t);
  const known = await readEpoch(pool);
  const first = await renewEpoch(pool, known);
  t.not(first.short, known.short);
  t.deepEqual(await renewEpoch(pool, known), first);
});
