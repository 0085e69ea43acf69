import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

test('configure changes what is given, leaves the rest, and returns all settings', async (t) => {
  const { query } = await createDatabase(t);
  const [before] = await query('select * from djr.settings');
  t.like(before, { storage: true, retention: null, activity: 'summary', delivery: 'auto', pruned_xid: null });
  t.regex(before!.channel, /^djr_[0-9a-f]{32}$/);
  const [after] = await query(`select * from djr.configure(activity => 'full')`);
  t.deepEqual(after, { ...before, activity: 'full' });
  t.truthy((await query(`select * from djr.configure(retention => '30 days')`))[0]!.retention);
  t.is((await query(`select * from djr.configure(retention => '0')`))[0]!.retention, null);
});

for (const call of [
  `activity => 'some'`,
  `delivery => 'pigeon'`,
  `retention => '-1 day'`,
  `channel => ''`,
  `channel => repeat('c', 64)`,
]) {
  test(`configure(${call}) is refused with DJR10 and a hint`, async (t) => {
    const error = await refusal(await createDatabase(t), `select djr.configure(${call})`);
    t.is(error.code, 'DJR10');
    t.truthy(error.hint);
  });
}

test('a changed channel is told on the old one, and used from then on', async (t) => {
  const db = await createDatabase(t);
  const old = await listen(db);
  await db.query(`select djr.configure(channel => 'djr_another')`);
  t.deepEqual(await old.messages(1), ['{"doorbell":"sweep"}']);
  const next = await listen(db);
  await db.query(`select djr.publish('1', 't')`);
  t.is((await next.messages(1)).length, 1);
});

test('set_delivery_mode holds at once, also for a transaction that began before', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const publisher = await db.connect();
  await publisher.query('begin isolation level repeatable read');
  await publisher.query('select 1 from djr.event');
  t.true((await db.query(`select djr.set_delivery_mode('sweep') as set`))[0]!.set);
  await publisher.query(`select djr.publish('1', 't')`);
  await publisher.query('commit');
  await db.query(`select djr.set_delivery_mode('notify')`);
  await db.query(`select djr.publish('1', 'heard')`);
  const messages = await listener.messages(3);
  t.deepEqual(messages.slice(0, 2), ['{"doorbell":"sweep"}', '{"doorbell":"sweep"}']);
  t.regex(messages[2]!, /"heard"/);
});

test('set_delivery_mode leaves a delivery that was configured alone, and refuses an unknown mode', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(delivery => 'sweep')`);
  t.false((await db.query(`select djr.set_delivery_mode('notify') as set`))[0]!.set);
  t.is((await db.query('select last_value from djr.delivery_mode'))[0]!.last_value, '2');
  t.is((await refusal(db, `select djr.set_delivery_mode('auto')`)).code, 'DJR10');
});

test('with storage off an event is notified in every delivery mode, without a transaction id', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(storage => false, delivery => 'sweep')`);
  const listener = await listen(db);
  const [{ id }] = (await db.query(`select djr.publish('1', 't', '{"a": 1}') as id`)) as [{ id: string }];
  const [header, detail] = (await listener.messages(1))[0]!.split('\t');
  t.deepEqual(JSON.parse(header!).slice(0, 5), [Number(id), null, 'user', '1', 't']);
  t.is(detail, '{"a": 1}');
  t.deepEqual(await db.query('select from djr.event'), []);
});

test('storage switched on again counts as pruning up to that transaction; switched on twice, or off, it does not', async (t) => {
  const db = await createDatabase(t);
  const pruned = async () => (await db.query('select pruned_xid from djr.settings'))[0]!.pruned_xid as string | null;
  await db.query('select djr.configure(storage => true)');
  await db.query('select djr.configure(storage => false)');
  await db.query(`select djr.configure(activity => 'full')`);
  t.is(await pruned(), null);
  const [row] = await db.query('select djr.configure(storage => true), pg_current_xact_id() as xid');
  t.is(await pruned(), row!.xid);
  await db.query('select djr.configure(storage => true)');
  t.is(await pruned(), row!.xid);
});

test('a plain INSERT stores, whatever the setting storage says', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  await db.query(`insert into djr.event (scope, type) values ('public', 't')`);
  t.is((await db.query('select from djr.event')).length, 1);
});

test('position is a snapshot: what commits later is new since then, also if its id was given out before', async (t) => {
  const db = await createDatabase(t);
  const late = await db.connect();
  await late.query('begin');
  await late.query(`select djr.publish('1', 'late')`);
  await db.query(`select djr.publish('1', 'early')`);
  const [{ position }] = (await db.query('select djr.position() as position')) as [{ position: string }];
  await late.query('commit');
  const fresh = await db.query(
    `select type from djr.event where xid >= pg_snapshot_xmax($1::pg_snapshot)
      or xid = any(array(select pg_snapshot_xip($1::pg_snapshot)))`,
    [position],
  );
  t.deepEqual(fresh, [{ type: 'late' }]);
});

test('What the own transaction publishes after position is new since then, also if later transactions have ended', async (t) => {
  const db = await createDatabase(t);
  const own = await db.connect();
  await own.query('begin; select pg_current_xact_id()');
  for (let n = 0; n < 3; n += 1) await db.query('select pg_current_xact_id()');
  const { rows } = await own.query<{ position: string }>('select djr.position() as position');
  await own.query(`select djr.publish('1', 'own'); commit`);
  const fresh = await db.query('select type from djr.event where not pg_visible_in_snapshot(xid, $1::pg_snapshot)', [
    rows[0]!.position,
  ]);
  t.deepEqual(fresh, [{ type: 'own' }]);
});

test('epoch names timeline, database and cluster, and differs between databases', async (t) => {
  const [one, two] = [await createDatabase(t), await createDatabase(t)];
  const epoch = async (db: typeof one) => (await db.query('select djr.epoch() as epoch'))[0]!.epoch as string;
  t.regex(await epoch(one), /^[0-9a-f]+_[0-9a-f]+_[0-9a-f]+$/);
  t.is(await epoch(one), await epoch(one));
  t.not(await epoch(one), await epoch(two));
});

test('repair_xids brings transaction ids of another cluster into the past and touches nothing else', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('1', 'own')`);
  const [own] = await db.query('select xid from djr.event');
  await db.query(`insert into djr.event (scope, type, xid) values ('public', 'foreign', '99999999999')`);
  await db.query(`update djr.settings set pruned_xid = '99999999999'`);
  t.is((await db.query('select djr.repair_xids() as n'))[0]!.n, '1');
  t.deepEqual(await db.query('select xid from djr.event order by id'), [own, { xid: '3' }]);
  t.is((await db.query('select pruned_xid from djr.settings'))[0]!.pruned_xid, '3');
  t.is((await db.query('select djr.repair_xids() as n'))[0]!.n, '0');
});
