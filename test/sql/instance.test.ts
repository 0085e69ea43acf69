import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';

const REPORT = `select djr.report_instance($1, '1 hour', 3, 20, 60, 1, $2, 'web-1 42', '1.2.3')`;

const names = async (db: TestDatabase) =>
  (await db.query<{ name: string }>('select name from djr.instance order by name')).map(({ name }) => name);

test('An instance has one row, whose start stays and whose totals move, every update a HOT one', async (t) => {
  const db = await createDatabase(t);
  for (const lag of [null, 1.5, 2.5]) await db.query(REPORT, ['a', lag]);
  await db.query(REPORT, ['b', null]);
  const rows = await db.query(`select name, connections, events::int, lag_ms,
    seen_at - started_at between interval '1 hour' and interval '1 hour 10 s' as an_hour from djr.instance order by name`);
  t.deepEqual(rows, [
    { name: 'a', connections: 3, events: 20, lag_ms: 2.5, an_hour: true },
    { name: 'b', connections: 3, events: 20, lag_ms: null, an_hour: true },
  ]);
  const session = await db.connect();
  await session.query(REPORT, ['a', null]);
  const { rows: moved } =
    await session.query(`select pg_stat_get_xact_tuples_updated(c) = pg_stat_get_xact_tuples_hot_updated(c) as hot
    from (values ('djr.instance'::regclass)) v (c)`);
  t.deepEqual(moved, [{ hot: true }]);
});

test('Rows not seen for a day go, and those that another is removing are left alone', async (t) => {
  const db = await createDatabase(t);
  for (const name of ['old', 'held', 'young']) await db.query(REPORT, [name, null]);
  await db.query("update djr.instance set seen_at = now() - interval '25 hours' where name in ('old', 'held')");
  const other = await db.connect();
  await other.query("begin; select from djr.instance where name = 'held' for update");
  await db.query(REPORT, ['a', null]);
  t.deepEqual(await names(db), ['a', 'held', 'young']);
  await other.query('rollback');
  await db.query(REPORT, ['a', null]);
  t.deepEqual(await names(db), ['a', 'young']);
});

test('forget_instance takes a row away, and says whether there was one', async (t) => {
  const db = await createDatabase(t);
  await db.query(REPORT, ['a', null]);
  const forget = () => db.query("select djr.forget_instance('a') as was");
  t.deepEqual([await forget(), await forget()], [[{ was: true }], [{ was: false }]]);
});

test('A name that is none, and numbers that are missing, are refused', async (t) => {
  const db = await createDatabase(t);
  t.is((await refusal(db, REPORT, ['', null])).code, '23514');
  t.is((await refusal(db, REPORT, ['x'.repeat(65), null])).code, '23514');
  t.is((await refusal(db, REPORT, [null, null])).code, '23502');
  t.deepEqual(await names(db), []);
});

test('The table writes no WAL', async (t) => {
  const db = await createDatabase(t);
  t.deepEqual(await db.query("select relpersistence as p from pg_class where oid = 'djr.instance'::regclass"), [
    { p: 'u' },
  ]);
});
