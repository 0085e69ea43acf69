import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { startCluster } from '../helpers/cluster.js';
import { createDatabase } from '../helpers/database.js';
import { recordingLogger, startApp, startServer, until } from '../helpers/server.js';

const healthz = async (origin: string) => {
  const response = await fetch(`${origin}/realtime/healthz`);
  const body = (await response.json()) as Record<string, unknown> & { problems: string[]; warnings: string[] };
  return { code: response.status, ...body };
};

test('healthz says how each check is', async (t) => {
  const { origin, realtime } = await startApp(t);
  await until('the first answer', () => realtime.health().checks.queue === 'ok');
  await until('the first probe', () => realtime.health().checks.listener === 'ok');
  const { queue_usage, ...found }: Record<string, unknown> = await healthz(origin);
  t.deepEqual(found, {
    code: 200,
    status: 'ok',
    problems: [],
    warnings: [],
    checks: { listener: 'ok', sweep: 'ok', database: 'ok', queue: 'ok', schema: 'ok', delivery: 'ok' },
  });
  // The queue is the cluster's: what other tests notify may be in it.
  t.true(typeof queue_usage === 'number' && queue_usage >= 0 && queue_usage < 0.1);
});

test('healthz tells a schema that is taken away from a database that is away', async (t) => {
  const { db, origin, realtime } = await startApp(t, { sweepInterval: 50 });
  await db.query('alter schema djr rename to gone');
  await until('the schema to be missed', () => realtime.health().checks.schema === 'failing');
  await until('the sweep to be late', () => realtime.health().checks.sweep === 'failing');
  const found = await healthz(origin);
  t.is(found.code, 503);
  t.true(found.problems.some((problem) => /schema djr is gone/.test(problem)));
  await db.query('alter schema gone rename to djr');
  await until('it is well again', () => realtime.health().ok);
});

test('healthz of an instance that could not start says why, and names no password', async (t) => {
  const empty = await createDatabase(t, { template: null });
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: empty.url, logger });
  const { origin } = await startServer(t, realtime);
  await t.throwsAsync(realtime.start());
  const found = await healthz(origin);
  t.like(found, { code: 503, checks: { schema: 'failing' } });
  t.deepEqual(found.problems, ['the start failed: This database has no schema djr.']);
});

test('A database that is away is said, and that it is back', async (t) => {
  const cluster = await startCluster(t);
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: cluster.url, logger, shutdownGrace: 1000 });
  const { origin } = await startServer(t, realtime);
  await realtime.start();
  await until('the first answer', () => realtime.health().checks.database === 'ok');
  await cluster.server.stop('immediate');
  await until('the loss', () => realtime.health().checks.database === 'failing');
  t.like(await healthz(origin), { code: 503, queue_usage: null, checks: { listener: 'failing', queue: 'unknown' } });
  await cluster.server.start();
  await until('its return', () => realtime.health().ok && realtime.health().checks.database === 'ok');
});

// The setting that makes the queue small is there since 17.
const since17 = /postgres-1[456]/.test(process.env.DJR_TEST_POSTGRES ?? '') ? test.skip : test;

since17('A NOTIFY queue that fills is said by health and metrics, and takes no instance out of service', async (t) => {
  const cluster = await startCluster(t, { max_notify_queue_pages: '64' });
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: cluster.url, logger, shutdownGrace: 1000 });
  const { origin } = await startServer(t, realtime);
  await realtime.start();
  await until('the first answer', () => realtime.health().checks.queue === 'ok');

  const culprit = await cluster.connect();
  await culprit.query('listen whatever');
  await culprit.query('begin');
  const fill = (messages: number) =>
    cluster.query(`select pg_notify('other', repeat('x', 7000) || n) from generate_series(1, ${messages}) n`);
  await fill(13);
  await until('the warning', () => realtime.health().checks.queue === 'warning');
  t.regex(realtime.health().warnings[0]!, /NOTIFY queue is \d+\.\d % full: a session that listens/);
  await fill(25);
  await until('half full', () => realtime.health().queueUsage! > 0.5);
  const found = await healthz(origin);
  t.is(found.code, 200);
  t.regex(found.warnings[0]!, /every publish fails/);
  const text = await (await fetch(`${origin}/realtime/metrics`)).text();
  t.true(Number(text.match(/^djr_notify_queue_usage_ratio (.*)$/m)![1]) > 0.5);

  await culprit.query('rollback');
  await until('it is empty again', () => realtime.health().checks.queue === 'ok');
});
