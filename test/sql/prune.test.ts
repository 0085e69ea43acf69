import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { refusal } from '../helpers/sql.js';

const age = `update djr.event set created_at = now() - interval '2 days' where id <= 10`;

test('prune deletes what is older than given and records the highest transaction it removed', async (t) => {
  const db = await createDatabase(t);
  for (let n = 0; n < 12; n += 1) await db.query(`select djr.publish('1', 't')`);
  const [{ xid }] = (await db.query('select xid from djr.event where id <= 10 order by xid desc limit 1')) as [
    { xid: string },
  ];
  await db.query(age);
  t.deepEqual(await db.query(`select djr.prune('1 day') as n`), [{ n: '10' }]);
  t.is((await db.query('select from djr.event')).length, 2);
  t.is((await db.query('select pruned_xid from djr.settings'))[0]!.pruned_xid, xid);
});

test('prune without an argument goes by the retention; without a retention it deletes nothing', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 't')`);
  await db.query(age);
  t.is((await db.query('select djr.prune() as n'))[0]!.n, '0');
  await db.query(`select djr.configure(retention => '1 day')`);
  t.is((await db.query('select djr.prune() as n'))[0]!.n, '1');
});

test('prune_batch deletes no more than asked, oldest first, and 0 says that it is done', async (t) => {
  const db = await createDatabase(t);
  await db.query(`insert into djr.event (scope, type) select 'public', 't' from generate_series(1, 12)`);
  await db.query(age);
  const batch = async () => (await db.query(`select djr.prune_batch('1 day', 4) as n`))[0]!.n;
  t.is(await batch(), '4');
  t.deepEqual(await db.query('select min(id) as id from djr.event'), [{ id: '5' }]);
  t.deepEqual([await batch(), await batch(), await batch()], ['4', '2', '0']);
});

test('An age of 0 prunes all that is there, in batches of one event as well', async (t) => {
  const db = await createDatabase(t);
  await db.query(`insert into djr.event (scope, type) select 'public', 't' from generate_series(1, 3)`);
  t.deepEqual(await db.query(`select djr.prune_batch('0', 1) as n`), [{ n: '1' }]);
  t.deepEqual(await db.query('select id from djr.event order by id'), [{ id: '2' }, { id: '3' }]);
  t.deepEqual(await db.query(`select djr.prune('0') as n`), [{ n: '2' }]);
});

test('two pruners share the work, and publishers do not wait for either', async (t) => {
  const db = await createDatabase(t);
  await db.query(`insert into djr.event (scope, type) select 'public', 't' from generate_series(1, 10)`);
  await db.query(age);
  const one = await db.connect();
  await one.query('begin');
  await one.query(`select djr.prune_batch('1 day', 5)`);
  await db.query(`set statement_timeout = '5s'`);
  await db.query(`select djr.publish('1', 't')`);
  t.is((await db.query('select from djr.event')).length, 11);
  await one.query('commit');
  t.is((await db.query(`select djr.prune_batch('1 day', 50) as n`))[0]!.n, '5');
});

test('activity goes with its event, and event_status says how far an event got', async (t) => {
  const db = await createDatabase(t);
  await db.query(`insert into djr.event (scope, type) select 'public', 't' from generate_series(1, 12)`);
  await db.query(`insert into djr.activity (event_id, status, recipients) values
    (1, 'dispatched', null), (1, 'sent', 3), (1, 'sent', 4), (2, 'error', null), (2, 'dispatched', null), (3, 'read', null), (3, 'sent', 1)`);
  t.deepEqual(
    (await db.query('select status, recipients, errors from djr.event_status where id < 5 order by id')).map((row) =>
      Object.values(row),
    ),
    [
      ['sent', '7', '0'],
      ['error', '0', '1'],
      ['read', '1', '0'],
      ['new', '0', '0'],
    ],
  );
  await db.query(age);
  await db.query(`insert into djr.activity (event_id, status, recipients) values (11, 'sent', 1)`);
  for (const pruned of ['10', '0']) {
    t.deepEqual(await db.query(`select djr.prune('1 day') as n`), [{ n: pruned }]);
    t.deepEqual(await db.query('select event_id from djr.activity'), [{ event_id: '11' }]);
  }
});

test('prune refuses an age in the future and a batch of nothing with DJR10', async (t) => {
  const db = await createDatabase(t);
  t.is((await refusal(db, `select djr.prune('-1 day')`)).code, 'DJR10');
  t.is((await refusal(db, `select djr.prune_batch('1 day', 0)`)).code, 'DJR10');
});
