import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type pg from 'pg';
import { createRealtime } from '../../src/index.js';
import { type Cluster, startCluster } from '../helpers/cluster.js';
import { recordingLogger, startServer } from '../helpers/server.js';

/** A segment of the log has 16 MB and has to fit. */
const LARGEST_FILE = 17 * 1024 * 1024;

/** Four of them fill a page of 8 kB. */
const PAD = "'pad', repeat('x', 1900)";
const PUBLISH = `select djr.publish_global('note', jsonb_build_object('n', $1::int, ${PAD})) as id`;
const FILL = `insert into djr.event (scope, type, detail)
  select 'public', 'filler', jsonb_build_object(${PAD}) from generate_series(1, 1000)`;

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

/** prlimit(1) of util-linux sets the limits of a process that runs. */
const onLinux = spawnSync('prlimit', ['--version']).status === 0 ? test : test.skip;

/** No file may grow past this in sessions that begin from now on: to them that is a full disk. */
async function limitFiles(cluster: Cluster, bytes: number): Promise<void> {
  const { directory } = cluster.server;
  const [pid] = (await readFile(path.join(directory, 'postmaster.pid'), 'utf8')).split('\n');
  // Where we are root the server runs as somebody else, who alone may do it.
  const { uid, gid } = await stat(directory);
  const options = { encoding: 'utf8', ...(process.getuid?.() === 0 ? { uid, gid } : {}) } as const;
  const { status, stderr } = spawnSync('prlimit', ['--pid', pid!, `--fsize=${bytes}:`], options);
  if (status !== 0) throw new Error(stderr);
}

/** Runs it again and again until the disk is full. @returns the error of then */
async function untilFull(run: () => Promise<unknown>, most: number): Promise<pg.DatabaseError> {
  for (let i = 0; i < most; i += 1) {
    try {
      await run();
    } catch (error) {
      return error as pg.DatabaseError;
    }
  }
  throw new Error(`The disk is not full after ${most} times.`);
}

onLinux('On a full disk the publisher is told and nobody gets what failed; with space again events flow', async (t) => {
  const cluster = await startCluster(t, { autovacuum: 'off' });
  await limitFiles(cluster, LARGEST_FILE);
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: cluster.url, logger, heartbeat: 100, sweepInterval: 100 });
  const server = await startServer(t, realtime);
  await realtime.start();
  const stream = await server.stream('?types=note');
  const client = await cluster.connect();
  const published: number[] = [];
  let n = 0;
  const publish = async () => {
    n += 1;
    await client.query(PUBLISH, [n]);
    published.push(n);
  };
  await publish();
  await client.query('set session_replication_role = replica');
  await untilFull(() => client.query(FILL), 20);
  await client.query('reset session_replication_role');

  const error = await untilFull(publish, 2000);
  t.regex(error.message, /^could not extend file .*(File too large|No space left on device)/);
  const failed = n;
  for (let i = 0; i < 3; i += 1) await t.throwsAsync(publish());
  t.deepEqual(numbers(await stream.count(published.length)), published);
  t.true(realtime.health().ok);
  t.is((await fetch(`${server.origin}/realtime/healthz`)).status, 200);

  // Without the triggers: what is deleted by hand is a reset for those who resume from before it.
  await client.query('set session_replication_role = replica');
  await client.query("delete from djr.event where type = 'filler'");
  await client.query('reset session_replication_role');
  await client.query('vacuum djr.event');
  for (let i = 0; i < 3; i += 1) await publish();
  t.deepEqual(numbers(await stream.count(published.length)), published);
  t.false(published.includes(failed));
  t.false(stream.ended);
  const fresh = createRealtime({ database: cluster.url, logger });
  const resumed = await (await startServer(t, fresh)).stream('?types=note', { lastEventId: stream.events[0]!.id! });
  await resumed.until('all but the first', () => numbers(resumed.events).includes(n));
  t.deepEqual(
    numbers(resumed.events).filter((one) => one !== 1),
    published.slice(1),
  );
});
