import test from 'ava';
import type { TestDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { refusal } from '../helpers/sql.js';
import { begin, consume, publish, setUp } from './consuming.js';

/** The consumers that were overtaken, and how many events each has lost. */
const losses = async (db: TestDatabase): Promise<string[]> =>
  (await db.query('select name, lost from djr.consumer where overtaken is not null order by name')).map(
    ({ name, lost }) => `${name} ${lost}`,
  );

const remove = (client: { query(sql: string, values: unknown[]): Promise<unknown> }, ...numbers: number[]) =>
  client.query(`delete from djr.event where (detail ->> 'n')::int = any ($1)`, [numbers]);

test('A deletion overtakes the consumers that had not had the events, each by those that it alone had not had', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.create_consumer('mail'), djr.create_consumer('late')`);
  await publish(db, 1, 2, 3);
  await consume(db.pool);
  await consume(db.pool, `'mail', 2`);
  await remove(db, 1, 2);
  t.deepEqual(await losses(db), ['late 2']);
  await remove(db, 3);
  t.deepEqual(await losses(db), ['late 3', 'mail 1']);
  t.deepEqual(await consume(db.pool), []);
  t.is((await refusal(db, `select * from djr.consume('mail')`)).code, 'DJR22');
});

test('Of what one snapshot showed, a consumer loses what it had not had yet; what committed later is lost whatever its id', async (t) => {
  const db = await setUp(t);
  const late = await begin(db);
  await publish(late, 1);
  await publish(db, 2, 3, 4);
  t.deepEqual(await consume(db.pool, `'billing', 1`), [2]);
  await late.query('commit');
  await remove(db, 2);
  t.deepEqual(await losses(db), []);
  await remove(db, 1, 3, 4);
  t.deepEqual(await losses(db), ['billing 3']);
});

test('What callers that share a consumer have had out of order is not lost, and is lost for the others', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.create_consumer('mail')`);
  await publish(db, 1, 2, 3);
  const first = await begin(db);
  t.deepEqual(await consume(first, `'billing', 1, 'share'`), [1]);
  t.deepEqual(await consume(db.pool, `'billing', 1, 'share'`), [2]);
  await first.query('rollback');
  await remove(db, 2);
  t.deepEqual(await losses(db), ['mail 1']);
  await remove(db, 1, 3);
  t.deepEqual(await losses(db), ['billing 2', 'mail 3']);
});

test('What a transaction publishes and deletes itself is lost by nobody', async (t) => {
  const db = await setUp(t);
  const client = await begin(db);
  await publish(client, 1);
  await remove(client, 1);
  await client.query('commit');
  t.deepEqual(await losses(db), []);
  await publish(db, 2);
  await client.query('begin');
  await publish(client, 3);
  await remove(client, 2, 3);
  await client.query('commit');
  t.deepEqual(await losses(db), ['billing 1']);
});

test('A deletion waits for a transaction that consumes the events, and overtakes the consumer if that is rolled back', async (t) => {
  const db = await setUp(t);
  for (const [number, end, lost] of [
    [1, 'commit', []],
    [2, 'rollback', ['billing 1']],
  ] as const) {
    await publish(db, number);
    const client = await begin(db);
    t.deepEqual(await consume(client), [number]);
    const other = await db.connect();
    const { pid } = (await other.query('select pg_backend_pid() as pid')).rows[0];
    const deleted = remove(other, number);
    await until(
      'the deletion waits',
      async () => (await db.query('select pg_blocking_pids($1) as by', [pid]))[0]!.by.length > 0,
    );
    await client.query(end);
    await deleted;
    t.deepEqual(await losses(db), [...lost]);
  }
});

test('A deletion does not wait for a transaction that consumes other events', async (t) => {
  const db = await setUp(t);
  await publish(db, 1);
  await consume(db.pool);
  await publish(db, 2);
  const client = await begin(db);
  t.deepEqual(await consume(client), [2]);
  const other = await db.connect();
  await other.query(`set lock_timeout = '5s'`);
  await remove(other, 1);
  await client.query('commit');
  t.deepEqual(await losses(db), []);
});

test('TRUNCATE overtakes each consumer by what it had not had, and no other', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.create_consumer('done'), djr.create_consumer('half'), djr.create_consumer('shared')`);
  await publish(db, 1, 2, 3);
  await consume(db.pool, `'done'`);
  await consume(db.pool, `'half', 1`);
  const first = await begin(db);
  t.deepEqual(await consume(first, `'shared', 1, 'share'`), [1]);
  t.deepEqual(await consume(db.pool, `'shared', 1, 'share'`), [2]);
  await first.query('rollback');
  await db.query('truncate djr.event');
  t.deepEqual(await losses(db), ['billing 3', 'half 2', 'shared 2']);
  const reasons = await db.query('select distinct overtaken from djr.consumer where overtaken is not null');
  t.deepEqual(reasons, [{ overtaken: 'djr.event was truncated before it had all events' }]);
  await publish(db, 4);
  await db.query('truncate djr.event');
  t.deepEqual(await losses(db), ['billing 4', 'done 1', 'half 3', 'shared 3']);
});
