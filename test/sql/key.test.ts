import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

const publish = (key: string) => `select djr.publish('1', 't', key => '${key}') as id`;

test('a second publish under one key stores and sends nothing, and returns the first id', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const [first] = await db.query(publish('k'));
  const [second] = await db.query(`select djr.publish_global('other', key => 'k') as id`);
  t.is(second!.id, first!.id);
  t.is((await db.query('select from djr.event')).length, 1);
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  t.is((await listener.messages(2))[1], 'end');
});

test('two sessions with one key at once: one event, and both get its id', async (t) => {
  const db = await createDatabase(t);
  const [one, two] = [await db.connect(), await db.connect()];
  await one.query('begin');
  const first = await one.query(publish('k'));
  const { pid } = (await two.query('select pg_backend_pid() as pid')).rows[0];
  const second = two.query(publish('k'));
  while ((await db.query('select pg_blocking_pids($1) as by', [pid]))[0]!.by.length === 0);
  await one.query('commit');
  t.is((await second).rows[0].id, first.rows[0].id);
  t.is((await db.query('select from djr.event')).length, 1);
});

test('a key is free again when its publisher rolled back', async (t) => {
  const db = await createDatabase(t);
  const one = await db.connect();
  await one.query('begin');
  await one.query(publish('k'));
  await one.query('rollback');
  await db.query(publish('k'));
  t.is((await db.query('select from djr.event')).length, 1);
});

test('a key with storage off is refused with DJR06', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  t.is((await refusal(db, publish('k'))).code, 'DJR06');
  t.is((await refusal(db, `select djr.publish_many('[{"user_id": "1", "type": "t", "key": "k"}]')`)).code, 'DJR06');
});

test('publishers of different keys in opposite order do not wait for each other', async (t) => {
  const db = await createDatabase(t);
  const [one, two] = [await db.connect(), await db.connect()];
  await one.query('begin');
  await two.query('begin');
  await one.query(publish('a'));
  await two.query(publish('b'));
  await one.query(`select djr.publish('1', 't')`);
  await two.query(`select djr.publish('1', 't')`);
  await two.query('commit');
  await one.query('commit');
  t.is((await db.query('select from djr.event')).length, 4);
});
