import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';
import { begin, consume, publish, setUp } from './consuming.js';

test('A consumer gets each event once, oldest first, with what a backend wants of it', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.publish(42, 'paid', '{"n": 1}', '{"iban": "x"}', key => 'invoice-1')`);
  await db.query(`select djr.publish_topic('room:7', 'said', '{"n": 2}')`);
  const rows = await db.query(`select * from djr.consume('billing', 100)`);
  t.true(rows[0]!.created_at instanceof Date);
  t.deepEqual(
    rows.map(({ created_at, ...rest }) => rest),
    [
      {
        id: '1',
        type: 'paid',
        scope: 'user',
        user_id: '42',
        topic: null,
        detail: { n: 1 },
        private_data: { iban: 'x' },
        key: 'invoice-1',
        replay_of: null,
      },
      {
        id: '2',
        type: 'said',
        scope: 'topic',
        user_id: null,
        topic: 'room:7',
        detail: { n: 2 },
        private_data: null,
        key: null,
        replay_of: null,
      },
    ],
  );
  t.deepEqual(await db.query(`select * from djr.consume('billing', 100)`), []);
});

test('The place moves in the transaction of the caller: a rollback, also to a savepoint, takes it back', async (t) => {
  const db = await setUp(t);
  await publish(db, 1, 2, 3);
  const client = await begin(db);
  t.deepEqual(await consume(client, `'billing', 2`), [1, 2]);
  await client.query('rollback; begin; savepoint a');
  t.deepEqual(await consume(client, `'billing', 2`), [1, 2]);
  await client.query('rollback to a');
  t.deepEqual(await consume(client, `'billing', 1`), [1]);
  await client.query('savepoint b');
  t.deepEqual(await consume(client, `'billing', 1`), [2]);
  await client.query('release b; commit');
  t.deepEqual(await consume(client), [3]);
});

test('What commits late comes late, and is not skipped', async (t) => {
  const db = await setUp(t);
  const late = await begin(db);
  await publish(late, 1);
  await publish(db, 2, 3);
  t.deepEqual(await consume(db.pool), [2, 3]);
  await late.query('commit');
  t.deepEqual(await consume(db.pool), [1]);
  t.deepEqual(await consume(db.pool), []);
});

test('An event that was inserted when another had been committed comes behind it, whichever transaction began first', async (t) => {
  const db = await setUp(t);
  const first = await begin(db);
  await first.query('create table audit ()');
  await publish(db, 1);
  await publish(first, 2);
  await first.query('commit');
  t.deepEqual(await consume(db.pool), [1, 2]);
});

test('With a smaller limit than is due it stops half way, and what commits meanwhile comes behind', async (t) => {
  const db = await setUp(t);
  const late = await begin(db);
  await publish(late, 0);
  await publish(db, ...Array.from({ length: 10 }, (_, i) => i + 1));
  t.deepEqual(await consume(db.pool, `'billing', 3`), [1, 2, 3]);
  await late.query('commit');
  await publish(db, 11);
  t.deepEqual(await consume(db.pool, `'billing', 3`), [4, 5, 6]);
  t.deepEqual(
    await consume(db.pool, `'billing', 5`),
    [0, 7, 8, 9, 10].sort((a, b) => a - b),
  );
  t.deepEqual(await consume(db.pool), [11]);
});

test('Each consumer has a place of its own', async (t) => {
  const db = await setUp(t);
  await publish(db, 1, 2);
  await db.query(`select djr.create_consumer('mail', 'start')`);
  const [a, b] = [await begin(db), await begin(db)];
  t.deepEqual(await consume(a, `'billing'`), [1, 2]);
  t.deepEqual(await consume(b, `'mail', 1, 'share'`), [1]);
});

test('A consumer begins now, at the start, or at a position, and named arguments may be used', async (t) => {
  const db = await createDatabase(t);
  await publish(db, 1);
  const [row] = await db.query('select djr.position() as at');
  await publish(db, 2);
  await db.query(`select djr.create_consumer('a', 'now')`);
  await db.query(`select djr.create_consumer(name => 'b', "from" => 'start')`);
  await db.query(`select djr.create_consumer('c', $1)`, [row!.at]);
  await publish(db, 3);
  t.deepEqual(await consume(db.pool, `'a'`), [3]);
  t.deepEqual(await consume(db.pool, `'b'`), [1, 2, 3]);
  t.deepEqual(await consume(db.pool, `'c'`), [2, 3]);
});

test('With now, what is in flight when the consumer is created comes, also of its own transaction', async (t) => {
  const db = await createDatabase(t);
  const late = await begin(db);
  await publish(late, 1);
  const own = await begin(db);
  await publish(own, 2);
  for (let n = 0; n < 3; n += 1) await db.query('select pg_current_xact_id()');
  await own.query(`select djr.create_consumer('billing')`);
  await publish(own, 3);
  await own.query('commit');
  await late.query('commit');
  t.deepEqual(await consume(db.pool), [1, 2, 3]);
});

test('From a position, too, what the own transaction publishes comes', async (t) => {
  const db = await createDatabase(t);
  const [row] = await db.query('select djr.position() as at');
  const own = await begin(db);
  await publish(own, 1);
  await own.query(`select djr.create_consumer('before', $1)`, [row!.at]);
  for (let n = 0; n < 3; n += 1) await db.query('select pg_current_xact_id()');
  await own.query(`select djr.create_consumer('now', djr.position())`);
  await publish(own, 2);
  await own.query('commit');
  t.deepEqual(await consume(db.pool, `'before'`), [1, 2]);
  t.deepEqual(await consume(db.pool, `'now'`), [1, 2]);
});

test('With types or topics it gets only those, and no other event keeps it from them', async (t) => {
  const db = await setUp(t, `'billing', types => array['refunded', 'paid']`);
  await db.query(`select djr.create_consumer('rooms', topics => array['a', 'b'])`);
  await db.query(`select djr.create_consumer('both', types => array['paid'], topics => array['a'])`);
  await publish(db, 1, 2, 3);
  await db.query(`select djr.publish_public('paid', '{"n": 4}'), djr.publish_topic('a', 'paid', '{"n": 5}')`);
  await db.query(`select djr.publish_topic('b', 'x', '{"n": 6}'), djr.publish_topic('c', 'x', '{"n": 7}')`);
  t.deepEqual(await consume(db.pool, `'billing', 1`), [4]);
  t.deepEqual(await consume(db.pool, `'billing', 1`), [5]);
  t.deepEqual(await consume(db.pool, `'rooms'`), [5, 6]);
  t.deepEqual(await consume(db.pool, `'both'`), [5]);
});

test('Orders of djr itself, and events that are not stored, never come to a consumer', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.disconnect('42'), djr.recheck('42'), djr.publish_public('typing', store => false)`);
  t.deepEqual(await db.query(`select * from djr.consume('billing')`), []);
  t.is((await db.query('select lag from djr.consumer'))[0]!.lag, '0');
});

test('The view says how far each is behind', async (t) => {
  const db = await setUp(t, `'billing', types => array['note']`);
  const look = async () => (await db.query(`select lag, age >= '0' as aged, overtaken from djr.consumer`))[0];
  t.deepEqual(await look(), { lag: '0', aged: null, overtaken: null });
  await publish(db, 1, 2, 3);
  await db.query(`select djr.publish_public('other')`);
  t.deepEqual(await look(), { lag: '3', aged: true, overtaken: null });
  await consume(db.pool, `'billing', 2`);
  t.deepEqual(await look(), { lag: '1', aged: true, overtaken: null });
  await consume(db.pool, `'billing', 1, 'share'`);
  t.deepEqual(await look(), { lag: '0', aged: null, overtaken: null });
});

test('Polling an idle consumer writes nothing and takes no transaction id', async (t) => {
  const db = await setUp(t);
  await consume(db.pool);
  const client = await begin(db);
  t.deepEqual(await consume(client), []);
  t.is((await client.query('select pg_current_xact_id_if_assigned() as xid')).rows[0].xid, null);
});

test('What cannot be is refused, each with its SQLSTATE', async (t) => {
  const db = await setUp(t);
  const codes = async (call: string) => (await refusal(db, `select djr.${call}`)).code;
  for (const call of [
    `consume('none')`,
    'consume(null)',
    `consume('')`,
    `consume('Billing')`,
    `consume('billing ')`,
    `drop_consumer('none')`,
    'drop_consumer(null)',
    `reset_consumer('none')`,
    'reset_consumer(null)',
    `reset_consumer('none', 'start')`,
  ])
    t.is(await codes(call), 'DJR20', call);
  t.is(await codes(`create_consumer('billing', 'start')`), 'DJR21');
  for (const call of [
    `consume('billing', 0)`,
    `consume('billing', -1)`,
    `consume('billing', null)`,
    `consume('billing', 1, 'steal')`,
    `consume('billing', 1, null)`,
    `create_consumer('')`,
    'create_consumer(null)',
    `create_consumer('a b')`,
    `create_consumer(repeat('x', 201))`,
    `create_consumer('a', 'yesterday')`,
    `create_consumer('a', null)`,
    `create_consumer('a', '5:4:')`,
    `create_consumer('a', '1:9000000000000000000:')`,
    `create_consumer('a', '99999999999999999999:1:')`,
    `create_consumer('a', types => '{}')`,
    `create_consumer('a', topics => '{}')`,
    `create_consumer('a', '')`,
    `create_consumer('a', 'NOW')`,
    `create_consumer('a', '3:3')`,
    `create_consumer('a', '3:5:4,')`,
    `create_consumer('a', '3:5:9')`,
    `create_consumer('a', '-1:5:')`,
    `create_consumer('a', '0-1:5:')`,
    `create_consumer(E'a\\u00a0b')`,
    `create_consumer(E'a\\u2028b')`,
    `create_consumer(E'a\\tb')`,
    `consume('billing', 1, 'WAIT')`,
    `consume('billing', 1, '')`,
    `reset_consumer('billing', 'back')`,
    `reset_consumer('billing', '')`,
    `reset_consumer('billing', null)`,
    `reset_consumer('billing', '1:9000000000000000000:')`,
  ])
    t.is(await codes(call), 'DJR10', call);
  t.is(await codes(`create_consumer('a', types => array['b c'])`), 'DJR01');
  t.is(await codes(`create_consumer('a', types => array[null])`), 'DJR01');
  t.is(await codes(`create_consumer('a', types => array['ok', ''])`), 'DJR01');
  t.is(await codes(`create_consumer('a', topics => array['b c'])`), 'DJR18');
  t.is(await codes(`create_consumer('a', topics => array[null])`), 'DJR18');
  t.is(await codes(`create_consumer('a', topics => array['ok', ''])`), 'DJR18');
  // Nothing of what was refused is there, and the consumer that is has its place.
  t.deepEqual(await db.query('select name from djr.consumer'), [{ name: 'billing' }]);
  await db.query(`select djr.publish_public('note')`);
  t.is((await db.query(`select from djr.consume('billing')`)).length, 1);
  await db.query(`select djr.create_consumer(repeat('ü', 200))`);
  t.deepEqual(await db.query(`select * from djr.consume(repeat('ü', 200), 2147483647)`), []);
});

test('A consumer that is dropped is gone for whoever waits for it', async (t) => {
  const db = await setUp(t);
  await publish(db, 1);
  const client = await begin(db);
  await client.query(`select djr.drop_consumer('billing')`);
  const waiting = refusal(db, `select * from djr.consume('billing')`);
  await client.query('commit');
  t.is((await waiting).code, 'DJR20');
  t.deepEqual(await db.query('select from djr.consumer'), []);
  await db.query(`select djr.create_consumer('billing', 'start')`);
  t.deepEqual(await consume(db.pool), [1]);
});

test('With storage off a consumer says that nothing will come, and that it has lost what was published meanwhile', async (t) => {
  const db = await setUp(t);
  await publish(db, 1);
  await db.query('select djr.configure(storage => false)');
  await publish(db, 2);
  t.deepEqual(await consume(db.pool), [1]);
  t.is((await refusal(db, `select * from djr.consume('billing')`)).code, 'DJR06');
  await db.query('select djr.configure(storage => true)');
  await publish(db, 3);
  const error = await refusal(db, `select * from djr.consume('billing')`);
  t.is(error.code, 'DJR22');
  t.regex(error.message, /"billing" must be reset: storage was off/);
  await db.query(`select djr.reset_consumer('billing')`);
  t.deepEqual(await consume(db.pool), [3]);
});
