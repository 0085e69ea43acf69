import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { createRealtime } from '../../src/index.js';
import { migrate } from '../../src/install/migrate.js';
import { startEmbedded } from '../../src/testing/embedded.js';

/** A server whose commits are slow, as on a cloud disk: there publishers queue behind NOTIFY's lock. */
async function startSlowServer(t: ExecutionContext): Promise<string> {
  const server = await startEmbedded({
    resolveFrom: process.env.DJR_TEST_POSTGRES,
    settings: { commit_delay: '5000', commit_siblings: '0' },
  });
  t.teardown(() => server.dispose());
  await migrate(server.url);
  return server.url;
}

test('While commits queue behind NOTIFY delivery sweeps, later it notifies again, and each event comes once', async (t) => {
  const database = await startSlowServer(t);
  const modes: unknown[] = [];
  let waiting = () => {};
  const logger = {
    debug() {},
    warn() {},
    error() {},
    info(context: object) {
      if (!('mode' in context)) return;
      modes.push(context.mode);
      waiting();
    },
  };
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      waiting = () => condition() && resolve();
      waiting();
    });
  // Two instances: either may decide, both must follow.
  const received: number[][] = [[], []];
  const instances = received.map((ids) => {
    const realtime = createRealtime({ database, logger });
    realtime.subscribe((event) => {
      ids.push(event.id);
      waiting();
    });
    t.teardown(() => realtime.stop());
    return realtime;
  });
  await Promise.all(instances.map((realtime) => realtime.start()));

  const pool = new pg.Pool({ connectionString: database, max: 16 });
  t.teardown(() => pool.end());
  let publishing = true;
  const published: number[] = [];
  const publishers = Array.from({ length: 16 }, async () => {
    while (publishing) {
      const { rows } = await pool.query("select djr.publish_global('t', '{}') as id");
      published.push(Number(rows[0].id));
    }
  });
  await until(() => modes.length > 0);
  t.is(modes[0], 'sweep');
  publishing = false;
  await Promise.all(publishers);

  await until(() => modes.includes('notify'));
  published.push(Number((await pool.query("select djr.publish_global('last', '{}') as id")).rows[0].id));
  // What came by NOTIFY may pass what the next sweep finds: all of them are waited for, not the last one.
  await until(() => received.every((ids) => ids.length >= published.length));
  const ascending = (ids: number[]) => [...ids].sort((a, b) => a - b);
  for (const ids of received) t.deepEqual(ascending(ids), ascending(published));
});

test("delivery => 'sweep' and 'notify' are kept whatever the load, and both deliver", async (t) => {
  const database = await startSlowServer(t);
  const pool = new pg.Pool({ connectionString: database });
  t.teardown(() => pool.end());
  const realtime = createRealtime({ database });
  t.teardown(() => realtime.stop());
  await realtime.start();
  for (const delivery of ['sweep', 'notify']) {
    await pool.query('select djr.configure(delivery => $1)', [delivery]);
    const received = new Promise<string>((resolve) => {
      const unsubscribe = realtime.subscribe(`by_${delivery}`, (event) => {
        unsubscribe();
        resolve(event.type);
      });
    });
    await pool.query('select djr.publish_global($1)', [`by_${delivery}`]);
    t.is(await received, `by_${delivery}`);
    const { rows } = await pool.query("select djr.set_delivery_mode('sweep') as set");
    t.false(rows[0].set);
  }
});
