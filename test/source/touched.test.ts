import test from 'ava';
import pg from 'pg';
import { parsePosition } from '../../src/event/position.js';
import { migrate } from '../../src/install/migrate.js';
import { startCluster } from '../helpers/cluster.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';
import { refusal } from '../helpers/sql.js';

const PUBLISH = "select djr.publish('ada', 'note', jsonb_build_object('n', $1::int)) as id";

test('Beside a publication for all tables djr is installed, and whatever deletes or updates works', async (t) => {
  const db = await createDatabase(t, { template: null });
  await db.query('create publication everything for all tables');
  await migrate(db.url);
  t.deepEqual(
    await db.query(
      `select relname from pg_class c where relnamespace = 'djr'::regnamespace and relkind = 'r' and relpersistence = 'p' and not (
         relreplident = 'f' or relreplident = 'd' and exists (select from pg_index where indrelid = c.oid and indisprimary))`,
    ),
    [],
    'every table has a replica identity',
  );
  await db.query(PUBLISH, [1]);
  await db.query(PUBLISH, [2]);
  const one = "select djr.record_activity('i', '{1,2}', '{sent,sent}', array['ada', 'ada'], '{1,1}')";
  await db.query(one);
  await db.query("select djr.acknowledge('ada', '{1,2}', 'read')");
  await db.query('delete from djr.event where id = 1');
  await db.query("update djr.event set created_at = now() - interval '1 hour'");
  t.is((await db.query("select djr.prune('1 minute')::int as n"))[0]!.n, 1);
  await db.query(`select djr.configure(activity => 'full'), djr.repair_xids(),
    djr.report_instance('i', '1 s', 0, 0, 0, 0, null, 'h', 'v'), djr.forget_instance('i')`);
  await db.query('truncate djr.event');
  t.deepEqual(await db.query('select from djr.activity'), []);
  t.deepEqual(await migrate(db.url), []);
});

test('After a TRUNCATE that restarts the identity ids go on, and a connected client gets what is published then', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('ada');
  for (let n = 1; n <= 3; n += 1) await app.db.query(PUBLISH, [n]);
  await stream.count(3);
  await app.db.query('truncate djr.event restart identity');
  const [row] = await app.db.query<{ id: string }>(PUBLISH, [4]);
  t.is(Number(row!.id), 4);
  await stream.count(4);
  const truncating = await app.db.connect();
  await truncating.query('begin; truncate djr.event restart identity; rollback');
  t.is(Number((await app.db.query<{ id: string }>(PUBLISH, [5]))[0]!.id), 5);
});

/** Clients whose id is of before what was deleted, on a runtime that has no history of it. */
async function resumed(t: Parameters<typeof createDatabase>[0], how: (db: TestDatabase) => Promise<unknown>) {
  // A snapshot has the transactions of all databases of its server: no other test's may be among these.
  const { url, query, connect } = await startCluster(t);
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const db: TestDatabase = { url, name: 'postgres', pool, query, connect: () => connect() };
  const app = await startApp(t, { sweepInterval: 50, heartbeat: 100 }, db);
  const first = await app.streamOf('ada');
  await app.db.query(PUBLISH, [1]);
  await first.count(1);
  const [row] = await app.db.query<{ xid: string }>('select xid::text as xid from djr.event');
  await first.until('an id behind it', () => !parsePosition(first.lastEventId)!.frontier.isNew(Number(row!.xid)));
  const early = first.lastEventId;
  first.close();
  await app.db.query(PUBLISH, [2]);
  await app.db.query(PUBLISH, [3]);
  await how(app.db);
  const other = await startApp(t, { historyEvents: 0 }, app.db);
  return { app, other, stream: await other.streamOf('ada', '', { lastEventId: early }) };
}

for (const [what, sql] of [
  ['TRUNCATE', 'truncate djr.event'],
  ['TRUNCATE of both tables', 'truncate djr.event, djr.activity'],
  ['DELETE of all', 'delete from djr.event'],
  ['DELETE of one that was missed', 'delete from djr.event where detail = \'{"n": 3}\''],
]) {
  test(`A resume from before a ${what} by hand is told reset`, async (t) => {
    const { stream } = await resumed(t, (db) => db.query(sql!));
    t.regex((await stream.event('reset')).data.reason as string, /pruned/);
  });
}

test('A DELETE by hand of what the client has got already costs nobody a reset', async (t) => {
  const { stream } = await resumed(t, (db) => db.query('delete from djr.event where detail = \'{"n": 1}\''));
  await stream.count(2);
  t.deepEqual(stream.resets, []);
  t.deepEqual(
    stream.events.map(({ data }) => data.n),
    [2, 3],
  );
});

test('A DELETE that is rolled back, or that finds nothing, changes nothing', async (t) => {
  const db = await createDatabase(t);
  await db.query(PUBLISH, [1]);
  await db.query('begin; delete from djr.event; rollback');
  await db.query('delete from djr.event where id = 4711');
  t.deepEqual(await db.query('select pruned_xid from djr.settings'), [{ pruned_xid: null }]);
});

const POISON: [what: string, columns: string, values: string][] = [
  ['created_at infinity', 'created_at', "'infinity'"],
  ['created_at -infinity', 'created_at', "'-infinity'"],
  ['created_at beyond what a Date holds', 'created_at', "'290000-01-01'"],
  ['created_at before 1970', 'created_at', "'1969-12-31 12:00+00'"],
  ['a negative id', 'id', '-1'],
  ['the id 0', 'id', '0'],
  ['an id beyond 2^53', 'id', '9007199254740992'],
  ['a transaction beyond 2^53', 'xid', "'9007199254740992'"],
];

for (const [what, column, value] of POISON) {
  const insert = `insert into djr.event (${column}, scope, type, detail) overriding system value
    values (${value}, 'public', 'poison', '{"n": 1}')`;
  test(`The schema refuses ${what}, in both delivery modes`, async (t) => {
    const db = await createDatabase(t);
    for (const delivery of ['notify', 'sweep']) {
      await db.query('select djr.configure(delivery => $1)', [delivery]);
      const { code, hint } = await refusal(db, insert);
      t.is(code, 'DJR16');
      t.truthy(hint);
    }
    t.deepEqual(await db.query('select from djr.event'), []);
  });

  test(`A row that has ${what} all the same costs no other event, and is said`, async (t) => {
    if (column === 'xid') {
      t.pass('a restore brings those, and djr.repair_xids mends them');
      return;
    }
    const db = await createDatabase(t);
    const insertPast = async () => {
      const client = await db.connect();
      // As a restore, or a tool that switches triggers off, does.
      await client.query('set session_replication_role = replica');
      await client.query(insert);
    };
    await db.query(PUBLISH, [0]);
    await insertPast();
    const app = await startApp(t, { sweepInterval: 50 }, db);
    const stream = await app.streamOf('ada');
    await app.db.query('delete from djr.event where type = $1', ['poison']);
    await insertPast();
    await app.db.query(PUBLISH, [1]);
    await stream.count(1);
    // On a runtime that reads all of it from storage.
    const other = await startApp(t, { historyEvents: 0 }, db);
    await other.db.query(PUBLISH, [2]);
    await stream.count(2);
    const errors = () => app.lines.filter(({ level, context }) => level === 'error' && context.event !== undefined);
    await until('the error', () => errors().length > 0 || value === "'1969-12-31 12:00+00'");
    t.is(errors().length, new Set(errors().map(({ context }) => context.event)).size, 'each is said once');
    t.deepEqual(
      app.lines.filter(({ level, context }) => level === 'error' && context.event === undefined),
      [],
    );
    t.true(app.realtime.health().ok);
  });
}
