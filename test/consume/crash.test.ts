import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import pg from 'pg';
import { createRealtime } from '../../src/index.js';
import { type Cluster, startCluster, startStandby } from '../helpers/cluster.js';
import { recordingLogger, until } from '../helpers/server.js';

const PUBLISH = `insert into djr.event (scope, type, detail) values ('public', 'note', jsonb_build_object('n', $1::int))`;

/** What is committed and what had effects, whatever was under way. */
async function differ(cluster: Cluster): Promise<{ missed: string; twice: string }[]> {
  return cluster.query(`
    select count(*) filter (where effects = 0) as missed, count(*) filter (where effects > 1) as twice
      from (select (select count(*) from effect where effect.id = event.id) as effects from djr.event) seen`);
}

test('PostgreSQL crashes again and again: place, events and effects come back to one moment', async (t) => {
  const cluster = await startCluster(t);
  await cluster.query(`create table effect (id bigint); select djr.create_consumer('billing')`);
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: cluster.url, logger, shutdownGrace: 2000 });
  t.teardown(() => realtime.stop());
  realtime.consume(
    'billing',
    async (events, { client }) => {
      for (const { id } of events) await client.query('insert into effect values ($1)', [id]);
    },
    { batch: 3, pollInterval: 50 },
  );
  let isOver = false;
  const write = async (writer: number) => {
    for (let n = 0; !isOver; n += 1) {
      const client = new pg.Client(cluster.url);
      client.on('error', () => {});
      try {
        await client.connect();
        await client.query('begin');
        await client.query(PUBLISH, [n]);
        if (n % 3 === writer % 3) await setTimeout(5);
        await client.query(n % 5 === 0 ? 'rollback' : 'commit');
      } catch {
        await setTimeout(20);
      }
      await client.end().catch(() => {});
    }
  };
  const writing = Promise.all([0, 1, 2, 3].map(write));
  for (let crash = 0; crash < 3; crash += 1) {
    const [before] = await cluster.query('select count(*)::int as n from effect');
    await until('effects', async () => (await cluster.query('select from effect')).length > before!.n + 10);
    await cluster.server.stop('immediate');
    await cluster.server.start();
  }
  isOver = true;
  await writing;
  await until('the end', async () => (await cluster.query('select lag from djr.consumer'))[0]!.lag === '0');
  t.deepEqual(await differ(cluster), [{ missed: '0', twice: '0' }]);
});

test('A standby takes over: a consumer goes on where the standby has it, without a reset', async (t) => {
  const primary = await startCluster(t);
  await primary.query(`create table effect (id bigint); select djr.create_consumer('billing')`);
  const standby = await startStandby(t, primary);
  const take = (cluster: Cluster) => cluster.query(`insert into effect select id from djr.consume('billing', 2)`);
  for (let n = 0; n < 5; n += 1) await primary.query(PUBLISH, [n]);
  await take(primary);
  const [{ lsn }] = (await primary.query('select pg_current_wal_lsn()::text as lsn')) as [{ lsn: string }];
  await until('the standby has it', async () => {
    const [row] = await standby.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as there', [lsn]);
    return row!.there;
  });
  await primary.server.stop('immediate');
  await standby.query('select pg_promote()');
  await standby.query(PUBLISH, [5]);
  for (let n = 0; n < 4; n += 1) await take(standby);
  t.is((await standby.query('select from effect')).length, 6);
  t.deepEqual(await differ(standby), [{ missed: '0', twice: '0' }]);
});

test('A database that is copied by pages, as with CREATE DATABASE … TEMPLATE, has its consumers in their places', async (t) => {
  const cluster = await startCluster(t);
  await cluster.query(`select djr.create_consumer('billing')`);
  await cluster.query(PUBLISH, [1]);
  const admin = await cluster.connect('template1');
  await admin.query('create database copy template postgres');
  const copy = await cluster.connect('copy');
  t.is((await copy.query(`select * from djr.consume('billing')`)).rows.length, 1);
});
