import test, { type ExecutionContext } from 'ava';
import { createRealtime } from '../../src/index.js';
import { type Cluster, startCluster } from '../helpers/cluster.js';
import { createDatabase } from '../helpers/database.js';
import { recordingLogger, startServer, until } from '../helpers/server.js';

// The setting that makes the queue small is there since 17.
const since17 = /postgres-1[456]/.test(process.env.DJR_TEST_POSTGRES ?? '') ? test.skip : test;

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int))";

/** A foreign session that listens and then sits in a transaction: nothing leaves the queue until it ends. */
async function holdUp(cluster: Cluster) {
  const culprit = await cluster.connect();
  await culprit.query('listen whatever');
  await culprit.query('begin');
  return culprit;
}

const fill = (cluster: Cluster, messages: number) =>
  cluster.query("select pg_notify('other', repeat('x', 7000) || n) from generate_series(1, $1::int) n", [messages]);

async function fillUp(t: ExecutionContext, cluster: Cluster): Promise<void> {
  for (let n = 0; n < 100; n += 1) {
    try {
      await fill(cluster, 1);
    } catch (error) {
      t.is((error as { code: string }).code, '54000');
      return;
    }
  }
  t.fail('the queue does not fill');
}

const usage = async (cluster: Cluster) =>
  (await cluster.query<{ usage: number }>('select pg_notification_queue_usage() as usage'))[0]!.usage;

since17(
  'auto leaves NOTIFY at the share of its queue that is set, so that publishers go on, and comes back when it has emptied',
  async (t) => {
    const cluster = await startCluster(t, { max_notify_queue_pages: '64' });
    await cluster.query('select djr.configure(queue_limit => 0.2)');
    const { logger, lines } = recordingLogger();
    const realtime = createRealtime({ database: cluster.url, logger, shutdownGrace: 1000, probeInterval: 200 });
    const server = await startServer(t, realtime);
    await realtime.start();
    const stream = await server.stream();
    const culprit = await holdUp(cluster);
    await fill(cluster, 20);
    const mode = async () =>
      (await cluster.query<{ mode: number }>('select last_value::int as mode from djr.delivery_mode'))[0]!.mode;
    await until('delivery sweeps', async () => (await mode()) === 2);
    t.true(lines.some(({ message }) => message.startsWith('the NOTIFY queue fills up')));

    await fillUp(t, cluster);
    for (let n = 1; n <= 20; n += 1) {
      await cluster.query(PUBLISH, [n]);
      await stream.count(n);
    }
    // Quiet as it is, nothing goes back to NOTIFY before there is room; probes go on and cannot be sent.
    const before = lines.length;
    await until('the instance sees the full queue', () => (realtime.health().queueUsage ?? 0) > 0.9);
    t.is(await mode(), 2);
    t.true(realtime.health().ok);
    t.deepEqual(
      lines.slice(before).filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    );
    t.is((await fetch(`${server.origin}/realtime/healthz`)).status, 200);

    await culprit.query('rollback');
    await until('delivery notifies again', async () => (await mode()) !== 2);
    await cluster.query(PUBLISH, [21]);
    await stream.count(21);
  },
);

since17(
  'with a full queue configure needs no NOTIFY, every instance follows, and a listener that reconnects is well',
  async (t) => {
    const cluster = await startCluster(t, { max_notify_queue_pages: '64' });
    await cluster.query("select djr.configure(delivery => 'notify')");
    const { logger, lines } = recordingLogger();
    const realtime = createRealtime({ database: cluster.url, logger, shutdownGrace: 1000, probeInterval: 200 });
    const server = await startServer(t, realtime);
    await realtime.start();
    const stream = await server.stream();
    const culprit = await holdUp(cluster);
    await fillUp(t, cluster);
    t.true((await usage(cluster)) > 0.9);
    await t.throwsAsync(cluster.query(PUBLISH, [0]), { code: '54000' });
    t.true(realtime.health().ok);
    await cluster.query("select djr.configure(delivery => 'sweep')");
    for (let n = 1; n <= 3; n += 1) {
      await cluster.query(PUBLISH, [n]);
      await stream.count(n);
    }
    await cluster.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'djr'`,
    );
    await until('the loss', () => lines.some(({ message }) => /was lost/.test(message)));
    await until('it listens again', () => realtime.health().problems.length === 0);
    await cluster.query(PUBLISH, [4]);
    await stream.count(4);
    await culprit.query('rollback');
  },
);

test('queue_limit must be a share', async (t) => {
  const db = await createDatabase(t);
  for (const wrong of ['0', '-1', '1.5', 'NaN']) {
    await t.throwsAsync(db.query(`select djr.configure(queue_limit => '${wrong}')`), {
      code: 'DJR10',
      message: `queue_limit must be between 0.001 and 1 (it is ${wrong})`,
    });
  }
  const [row] = await db.query('select queue_limit from djr.configure(queue_limit => 0.5)');
  t.is(row!.queue_limit, 0.5);
});
