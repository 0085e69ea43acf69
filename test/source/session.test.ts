import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { startApp, until } from '../helpers/server.js';

const publish = (db: TestDatabase, from: number, to: number) =>
  db.query(
    `insert into djr.event (scope, type, detail)
     select 'public', 'n', jsonb_build_object('n', n) from generate_series($1::int, $2::int) n`,
    [from, to],
  );

/** Rows read from end to end, and readings by the index of transactions, as PostgreSQL has counted them. */
async function scans(db: TestDatabase): Promise<{ all: number; byIndex: number }> {
  const [row] = await db.query<{ all: string; byIndex: string }>(
    `select seq_tup_read as all, (select idx_scan from pg_stat_user_indexes where indexrelname = 'event_xid') as "byIndex"
       from pg_stat_user_tables where relid = 'djr.event'::regclass`,
  );
  return { all: Number(row!.all), byIndex: Number(row!.byIndex) };
}

test('While delivery sweeps, one plan serves all sweeps, and stays by the index however the table grows', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.configure(delivery => 'sweep', activity => 'off')");
  const listen = { connectionString: db.url, application_name: 'listening' };
  const app = await startApp(t, { database: { listen, pool: { connectionString: db.url } } }, db);
  const stream = await app.stream();
  const sweeping = "select from pg_stat_activity where application_name = 'listening' and query like '%djr_sweep%'";
  await until('the listening connection sweeps', async () => (await db.query(sweeping)).length > 0);
  const before = await scans(db);
  // No ANALYZE has told the planner of these.
  for (let from = 1; from <= 20_000; from += 1000) {
    await publish(db, from, from + 999);
    // More than one sweep's rows would come through a cursor, by a plan of its own.
    await stream.count(from + 999);
  }
  await until('sweeps are counted', async () => (await scans(db)).byIndex > before.byIndex + 100);
  t.is((await scans(db)).all - before.all, 0);
});

test('While delivery sweeps, a listening connection that is cut in silence holds events up, and none is lost', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.configure(delivery => 'sweep')");
  const proxy = await startProxy(t, db.url);
  const app = await startApp(
    t,
    { database: { listen: proxy.url, pool: { connectionString: db.url } }, probeInterval: 3_600_000 },
    db,
  );
  const stream = await app.stream();
  await publish(db, 1, 10);
  await stream.count(10);
  proxy.mode = 'silent';
  await publish(db, 11, 20);
  await stream.count(20);
  t.deepEqual(
    stream.events.map(({ data }) => data.n),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
});
