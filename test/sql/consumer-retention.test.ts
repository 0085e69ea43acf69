import test, { type ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';

const NEXT = `select (detail ->> 'n')::int as n from djr.consume('billing', 1000)`;

const consume = async (db: TestDatabase): Promise<number[]> => (await db.query<{ n: number }>(NEXT)).map(({ n }) => n);

const left = async (db: TestDatabase): Promise<number[]> =>
  (await db.query(`select (detail ->> 'n')::int as n from djr.event order by id`)).map((row) => row.n as number);

/** Events with these numbers, inserted so many hours ago. */
const publish = (db: Pick<TestDatabase, 'query'>, hours: number, ...numbers: number[]) =>
  db.query(
    `insert into djr.event (scope, type, detail, created_at)
     select 'public', 'note', jsonb_build_object('n', n), now() - $1 * interval '1 hour' from unnest($2::int[]) n`,
    [hours, numbers],
  );

async function setUp(t: ExecutionContext): Promise<TestDatabase> {
  const db = await createDatabase(t);
  await db.query(`select djr.create_consumer('billing'), djr.configure(retention => '1 hour')`);
  return db;
}

const prune = async (db: TestDatabase): Promise<number> => Number((await db.query('select djr.prune() as n'))[0]!.n);

test('Pruning keeps what a consumer has not had, and deletes it when the consumer has', async (t) => {
  const db = await setUp(t);
  await publish(db, 3, 1, 2);
  await db.query(`select * from djr.consume('billing', 1)`);
  await publish(db, 2, 3);
  t.is(await prune(db), 0);
  t.deepEqual(await consume(db), [2, 3]);
  t.is(await prune(db), 3);
  t.deepEqual(await consume(db), []);
});

test('Pruning by an age of its own respects consumers as well, and the others go as before', async (t) => {
  const db = await createDatabase(t);
  await publish(db, 3, 1);
  t.is((await db.query(`select djr.prune('1 hour') as n`))[0]!.n, '1');
  await publish(db, 3, 2);
  await db.query(`select djr.create_consumer('billing')`);
  await publish(db, 3, 3);
  t.is((await db.query(`select djr.prune('1 hour') as n`))[0]!.n, '1');
  t.deepEqual(await left(db), [3]);
});

test('Past consumer_retention, a week at first, they go; the consumer is told until it is reset, and goes on with the rest', async (t) => {
  const db = await setUp(t);
  await publish(db, 8 * 24, 1, 2);
  await publish(db, 6 * 24, 3);
  t.is(await prune(db), 2);
  for (const mode of ['wait', 'skip', 'share']) {
    const error = await refusal(db, `select * from djr.consume('billing', 1, '${mode}')`);
    t.is(error.code, 'DJR22');
    t.is(error.message, 'consumer "billing" must be reset: events were deleted before it had them');
    t.regex(error.detail!, /^It has lost 2 events since 20/);
    t.regex(error.hint!, /select djr\.reset_consumer\('billing'\)/);
  }
  const [row] = await db.query('select overtaken, overtaken_at is not null as since, lost, lag from djr.consumer');
  t.deepEqual(row, { overtaken: 'events were deleted before it had them', since: true, lost: '2', lag: '1' });
  await db.query(`select djr.configure(consumer_retention => '1 day')`);
  t.is(await prune(db), 1);
  t.is((await db.query('select lost from djr.consumer'))[0]!.lost, '3');
  await publish(db, 0, 4);
  await db.query(`select djr.reset_consumer('billing')`);
  t.deepEqual(await consume(db), [4]);
  t.deepEqual(await db.query('select overtaken, lost from djr.consumer'), [{ overtaken: null, lost: null }]);
});

test('consumer_retention 0 keeps events for as long as consumers need them; a negative one is refused', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.configure(consumer_retention => '0')`);
  t.deepEqual(await db.query('select consumer_retention from djr.settings'), [{ consumer_retention: null }]);
  await publish(db, 24 * 365, 1);
  t.is(await prune(db), 0);
  t.deepEqual(await consume(db), [1]);
  t.is((await refusal(db, `select djr.configure(consumer_retention => '-1 day')`)).code, 'DJR10');
});

test('What committed late and was inserted early is kept for a consumer, however far the others have gone', async (t) => {
  const db = await setUp(t);
  const late = await db.connect();
  await late.query('begin');
  await publish(late as unknown as TestDatabase, 5, 1);
  await publish(late as unknown as TestDatabase, 3, 2);
  await publish(db, 4, 3, 4);
  t.deepEqual(await consume(db), [3, 4]);
  await late.query('commit');
  await publish(db, 3, 5);
  t.is(await prune(db), 0);
  t.deepEqual(await consume(db), [1, 2, 5]);
  t.is(await prune(db), 5);
});

test('Of what a consumer has not had, nothing is pruned that is older than what an earlier transaction published later', async (t) => {
  const db = await setUp(t);
  const earlier = await db.connect();
  await earlier.query('begin; select pg_current_xact_id()');
  await publish(db, 5, 1);
  await publish(earlier as unknown as TestDatabase, 2, 2);
  await earlier.query('commit');
  t.is(await prune(db), 0);
  t.deepEqual(await consume(db), [1, 2]);
  t.is(await prune(db), 2);
});

test('A transaction that stays open keeps nothing that a consumer has had from being pruned', async (t) => {
  const db = await setUp(t);
  const open = await db.connect();
  await open.query('begin; select pg_current_xact_id()');
  await publish(db, 3, 1, 2);
  t.deepEqual(await consume(db), [1, 2]);
  t.is(await prune(db), 2);
});

test('A retention that is longer than consumer_retention holds for consumers as well', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.configure(retention => '30 days')`);
  await publish(db, 40 * 24, 1);
  await publish(db, 10 * 24, 2);
  t.is(await prune(db), 1);
  t.deepEqual(await left(db), [2]);
  t.deepEqual(await db.query('select lost, lag from djr.consumer'), [{ lost: '1', lag: '1' }]);
});

test('Only events that it would have got count: a consumer of one type is not overtaken by another', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.create_consumer('billing', types => array['paid']), djr.create_consumer('all')`);
  await publish(db, 24 * 30, 1, 2);
  await db.query(`select djr.prune('1 hour')`);
  t.deepEqual(await db.query('select name from djr.consumer where overtaken is not null'), [{ name: 'all' }]);
});

test('A transaction that consumes is not overtaken in the midst of it, and pruning does not wait for it', async (t) => {
  const db = await setUp(t);
  await publish(db, 24 * 30, 1, 2);
  const client = await db.connect();
  await client.query('begin');
  await client.query(NEXT);
  t.is(await prune(db), 0);
  await client.query('commit');
  t.is(await prune(db), 2);
  t.deepEqual(await db.query('select overtaken from djr.consumer'), [{ overtaken: null }]);
});

test('Nor does pruning wait for a transaction that consumes what an earlier one published as it consumed', async (t) => {
  const db = await setUp(t);
  await publish(db, 24 * 30, 1);
  const client = await db.connect();
  await client.query('begin');
  await client.query(NEXT);
  await publish(client as unknown as TestDatabase, 24 * 30, 2);
  await client.query('commit; begin');
  t.deepEqual((await client.query(NEXT)).rows, [{ n: 2 }]);
  t.is(await prune(db), 1);
  t.deepEqual(await left(db), [2]);
  await client.query('commit');
  t.is(await prune(db), 1);
  t.deepEqual(await db.query('select overtaken from djr.consumer'), [{ overtaken: null }]);
});

test('A consumer that is at work keeps none but its own events: another one is overtaken meanwhile', async (t) => {
  const db = await setUp(t);
  await db.query(`select djr.create_consumer('mail')`);
  await publish(db, 24 * 30, 1);
  await consume(db);
  await publish(db, 24 * 25, 2);
  const client = await db.connect();
  await client.query('begin');
  await client.query(NEXT);
  t.is(await prune(db), 1);
  await client.query('commit');
  t.deepEqual(await left(db), [2]);
  t.deepEqual(await db.query('select name, lost from djr.consumer where overtaken is not null'), [
    { name: 'mail', lost: '1' },
  ]);
});

test('While a transaction prunes, a consumer that it does not overtake consumes', async (t) => {
  const db = await setUp(t);
  await publish(db, 3, 1);
  const pruner = await db.connect();
  await pruner.query('begin; select djr.prune()');
  const { length } = await db.query(`select * from djr.consume('billing', 1, 'skip')`);
  t.is(length, 1);
  await pruner.query('commit');
});

test('A consumer cannot begin at a position behind which events were deleted', async (t) => {
  const db = await createDatabase(t);
  const [row] = await db.query('select djr.position() as at');
  await publish(db, 0, 1);
  await db.query('delete from djr.event');
  t.is((await refusal(db, 'select djr.create_consumer($1, $2)', ['billing', row!.at])).code, 'DJR22');
  await publish(db, 0, 2);
  await db.query(`select djr.create_consumer('billing', djr.position())`);
  await publish(db, 0, 3);
  t.deepEqual(await consume(db), [3]);
});

test('reset_consumer begins anew: now, at the start, or at a position', async (t) => {
  const db = await setUp(t);
  await publish(db, 0, 1);
  const [row] = await db.query('select djr.position() as at');
  await publish(db, 0, 2);
  await consume(db);
  await db.query(`select djr.reset_consumer('billing', 'start')`);
  t.deepEqual(await consume(db), [1, 2]);
  await db.query(`select djr.reset_consumer('billing', $1)`, [row!.at]);
  t.deepEqual(await consume(db), [2]);
  await publish(db, 0, 3);
  await db.query(`select djr.reset_consumer('billing', 'now')`);
  t.deepEqual(await consume(db), []);
});

test('A consumer does not begin anew under repeatable read, where it would not see what others have done', async (t) => {
  const db = await setUp(t);
  const client = await db.connect();
  await client.query('begin isolation level repeatable read');
  t.is((await refusal(client, `select djr.reset_consumer('billing', 'start')`)).code, 'DJR10');
  await client.query('rollback; begin isolation level repeatable read');
  await client.query(`select djr.reset_consumer('billing')`);
  await client.query('commit');
});

test('A consumer that was restored from a dump is told so; VACUUM FULL and FREEZE are no restore', async (t) => {
  const db = await setUp(t);
  await publish(db, 0, 1);
  await db.query('vacuum full djr._consumer');
  await db.query('vacuum freeze djr._consumer');
  t.deepEqual(await consume(db), [1]);
  await publish(db, 0, 2);
  // What pg_restore does: the same rows, written by another transaction.
  await db.query(`create temporary table copy as select * from djr._consumer; delete from djr._consumer;
    insert into djr._consumer overriding system value select * from copy`);
  const error = await refusal(db, NEXT);
  t.is(error.code, 'DJR22');
  t.regex(error.message, /restored from a dump/);
  t.is((await db.query('select overtaken from djr.consumer'))[0]!.overtaken, 'it was restored from a dump');
  t.is((await refusal(db, `select djr.reset_consumer('billing')`)).code, 'DJR22');
  await db.query(`select djr.reset_consumer('billing', 'start')`);
  t.deepEqual(await consume(db), [1, 2]);
});
