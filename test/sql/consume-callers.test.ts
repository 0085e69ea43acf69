import test from 'ava';
import type pg from 'pg';
import { createRole } from '../helpers/role.js';
import { refusal } from '../helpers/sql.js';
import { begin, consume, publish, setUp } from './consuming.js';

for (const level of ['read committed', 'repeatable read', 'serializable']) {
  test(`${level}: what the caller's own transaction publishes comes when it has committed`, async (t) => {
    const db = await setUp(t);
    const client = await begin(db, level);
    await publish(client, 1);
    // Others commit, so that the own transaction lies below xmax of the next snapshot.
    for (let n = 0; n < 3; n += 1) await db.query('select pg_current_xact_id()');
    await publish(db, 2);
    const seen = level === 'read committed' ? [2] : [];
    t.deepEqual(await consume(client), seen);
    await publish(client, 3);
    t.deepEqual(await consume(client), []);
    await client.query('commit');
    t.deepEqual(await consume(db.pool), level === 'read committed' ? [1, 3] : [1, 2, 3]);
  });

  test(`${level}: of two callers the second one gets what the first one left, or an error to retry by`, async (t) => {
    const db = await setUp(t);
    await publish(db, 1, 2, 3);
    const [a, b] = [await begin(db, level), await begin(db, level)];
    await b.query('select from djr.event');
    t.deepEqual(await consume(a, `'billing', 2`), [1, 2]);
    t.deepEqual(await consume(b, `'billing', 2, mode => 'skip'`), []);
    const waiting = consume(b, `'billing', 2`).catch((error: pg.DatabaseError) => error.code);
    await a.query('commit');
    t.deepEqual(await waiting, level === 'read committed' ? [3] : '40001');
    await b.query('rollback');
    t.deepEqual(await consume(db.pool), [3]);
  });

  test(`${level}: callers that share get different events, and those of one that rolls back come again`, async (t) => {
    const db = await setUp(t);
    await publish(db, 1, 2, 3, 4, 5);
    const [a, b] = [await begin(db, level), await begin(db, level)];
    t.deepEqual(await consume(a, `'billing', 2, 'share'`), [1, 2]);
    t.deepEqual(await consume(b, `'billing', 2, 'share'`), [3, 4]);
    await b.query('commit');
    await a.query('rollback');
    t.deepEqual(await consume(db.pool, `'billing', 100, 'share'`), [1, 2, 5]);
    t.deepEqual(await consume(db.pool, `'billing', 100, 'share'`), []);
    t.deepEqual(await consume(db.pool), []);
    t.deepEqual(await db.query('select from djr._consumer_done'), []);
  });
}

test('Under repeatable read a shared event that another caller has had since is an error, not a second time', async (t) => {
  const db = await setUp(t);
  await publish(db, 1, 2);
  const late = await begin(db, 'repeatable read');
  await late.query('select from djr.event');
  const other = await begin(db);
  t.deepEqual(await consume(other, `'billing', 1, 'share'`), [1]);
  await other.query('commit');
  t.is((await refusal(late, `select * from djr.consume('billing', 1, 'share')`)).code, '40001');
});

for (const mode of ['wait', 'skip']) {
  test(`Under repeatable read, mode ${mode}: what callers who share have had since the snapshot is an error, not a second time`, async (t) => {
    const db = await setUp(t);
    await publish(db, 1, 2, 3);
    const late = await begin(db, 'repeatable read');
    await late.query('select from djr.event');
    // Another one has taken what is first, so that the place does not follow.
    const [first, second] = [await begin(db), await begin(db)];
    t.deepEqual(await consume(first, `'billing', 1, 'share'`), [1]);
    t.deepEqual(await consume(second, `'billing', 1, 'share'`), [2]);
    await second.query('commit');
    await first.query('rollback');
    t.is((await refusal(late, `select * from djr.consume('billing', 100, '${mode}')`)).code, '40001');
    await late.query('rollback; begin isolation level repeatable read');
    t.deepEqual(await consume(late, `'billing', 100, '${mode}'`), [1, 3]);
    await late.query('commit');
    t.deepEqual(await db.query('select from djr._consumer_done'), []);
  });
}

test('Who waits gets the events behind those that callers who share have taken, and theirs when they roll back', async (t) => {
  const db = await setUp(t);
  await publish(db, 1, 2, 3, 4);
  const [a, b] = [await begin(db), await begin(db)];
  t.deepEqual(await consume(a, `'billing', 1, 'share'`), [1]);
  t.deepEqual(await consume(b, `'billing', 2, 'share'`), [2, 3]);
  t.deepEqual(await consume(db.pool, `'billing', 100, 'skip'`), []);
  const waiting = consume(db.pool);
  await b.query('commit');
  await a.query('rollback');
  t.deepEqual(await waiting, [1, 4]);
});

test('No advisory lock that any role can take keeps an event from callers that share', async (t) => {
  const db = await setUp(t);
  await publish(db, 1, 2);
  const stranger = await db.connect({ connectionString: (await createRole(t, db, 'stranger')).url });
  // Keys that can be computed from what is public: the number of the consumer and those of events.
  await stranger.query(`select pg_advisory_lock(hashint8extended(n, seed)), pg_advisory_lock(n)
    from generate_series(1, 10) n, hashtextextended('djr consumer', 1) seed`);
  await t.throwsAsync(stranger.query('select secret from djr._consumer'), { code: '42501' });
  const [a, b] = [await begin(db), await begin(db)];
  t.deepEqual(await consume(a, `'billing', 1, 'share'`), [1]);
  t.deepEqual(await consume(b, `'billing', 2, 'share'`), [2]);
});
