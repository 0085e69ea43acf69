import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

test('a replay is a new event with the original in replay_of, and it is sent', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 't', '{"n": 1}', '{"s": 1}', 'k')`);
  const listener = await listen(db);
  t.deepEqual(await db.query('select djr.replay(1) as id'), [{ id: '2' }]);
  t.like((await db.query('select * from djr.event where id = 2'))[0], {
    type: 't',
    user_id: '1',
    detail: { n: 1 },
    private_data: { s: 1 },
    replay_of: '1',
    key: null,
  });
  t.regex((await listener.messages(1))[0]!, /^\[2, /);
});

test('a replay of a replay points at the original', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 't')`);
  await db.query('select djr.replay(1)');
  await db.query('select djr.replay(2)');
  t.is((await db.query('select replay_of from djr.event where id = 3'))[0]!.replay_of, '1');
});

test('replay twice in one transaction sends twice', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 't')`);
  const listener = await listen(db);
  await db.query('begin; select djr.replay(1); select djr.replay(1); commit');
  t.is((await listener.messages(2)).length, 2);
});

test('replay of many keeps the order given, and names what is missing', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 'a'), djr.publish('1', 'b')`);
  await db.query('select djr.replay(array[2, 1]::bigint[])');
  t.deepEqual(
    (await db.query('select type from djr.event where replay_of is not null order by id')).map(({ type }) => type),
    ['b', 'a'],
  );
  const error = await refusal(db, 'select djr.replay(array[1, 77, 78]::bigint[])');
  t.is(error.code, 'DJR07');
  t.regex(error.message, /77, 78/);
  t.is((await refusal(db, 'select djr.replay(99)')).code, 'DJR07');
  t.is((await db.query('select from djr.event')).length, 4);
});

test('replay with storage off says that it needs storage', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 't')`);
  await db.query('select djr.configure(storage => false)');
  t.is((await refusal(db, 'select djr.replay(1)')).code, 'DJR06');
});
