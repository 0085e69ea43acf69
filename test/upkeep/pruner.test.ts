import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { createRole } from '../helpers/role.js';
import { startApp, until } from '../helpers/server.js';

test('Where a retention is set the runtime prunes by itself, and young events stay', async (t) => {
  const { url, query, connect } = await createDatabase(t);
  await query(`insert into djr.event (scope, type, created_at)
    select 'public', 'old', now() - interval '2 days' from generate_series(1, 7000)`);
  await query("select djr.publish_global('young', '{}')");
  await query("select djr.configure(retention => '1 day')");

  const pruned = new Promise<object>((resolve) => {
    const logger = {
      debug() {},
      warn() {},
      error() {},
      info(context: object, message: string) {
        if (message.startsWith('pruned')) resolve(context);
      },
    };
    const realtime = createRealtime({ database: url, pruneInterval: 50, logger });
    t.teardown(() => realtime.stop());
    void realtime.start();
  });
  t.deepEqual(await pruned, { events: 7000 });
  t.deepEqual((await (await connect()).query('select type from djr.event')).rows, [{ type: 'young' }]);
});

const EXPIRED = `insert into djr.event (scope, type, created_at)
  select 'public', 'old', now() - interval '2 days' from generate_series(1, 10)`;

test('No lock that any role can take keeps the runtime from pruning', async (t) => {
  const db = await createDatabase(t);
  const [other, publisher] = [await createRole(t, db, 'other'), await createRole(t, db, 'publisher')];
  await db.query('select djr.grant_publish($1)', [publisher.role]);
  const holder = await db.connect({ connectionString: other.url });
  await holder.query('select pg_advisory_lock(n) from unnest(array[7310418275521904, 7310418275521905]) n');
  const writer = await db.connect({ connectionString: publisher.url });
  await writer.query("begin; select djr.publish(1, 't', key => 'k')");
  await db.query(EXPIRED);
  await db.query("select djr.configure(retention => '1 day')");
  await startApp(t, { database: db.url, pruneInterval: 50 }, db);
  await until('it is pruned', async () => (await db.query("select from djr.event where type = 'old'")).length === 0);
  t.deepEqual(await db.query('select from djr.event'), []);
});

test('Pruning that gets no turn is said once, with session and role of who holds it, and goes on after that', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.configure(retention => '1 day')");
  await db.query(EXPIRED);
  const holder = await db.connect();
  await holder.query("begin; select djr.configure(activity => 'full')");
  const { pid } = (await holder.query('select pg_backend_pid() as pid')).rows[0];
  const app = await startApp(t, { database: db.url, pruneInterval: 50 }, db);
  const said = () => app.lines.filter(({ message }) => /^pruning does not get its turn/.test(message));
  await until('it is said', () => said().length > 0);
  t.true(said()[0]!.message.includes(`session ${pid} (role postgres) holds the row of djr.settings`));
  await holder.query('commit');
  await until('it is pruned', async () => (await db.query("select from djr.event where type = 'old'")).length === 0);
  t.is(said().length, 1);
});
