import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';

const record = (
  db: TestDatabase,
  ...steps: [id: number, status: string, user?: string | null, recipients?: number][]
) =>
  db.query<{ recorded: string }>('select djr.record_activity($1, $2, $3, $4, $5) as recorded', [
    'i1',
    steps.map(([id]) => id),
    steps.map(([, status]) => status),
    steps.map(([, , user]) => user ?? null),
    steps.map(([, , , recipients]) => recipients ?? null),
  ]);

const publish = async (db: TestDatabase, call = `djr.publish('7', 't')`): Promise<number> =>
  Number((await db.query<{ id: string }>(`select ${call} as id`))[0]!.id);

const acknowledge = async (db: TestDatabase, user: string, ids: number[], status = 'read') =>
  (await db.query<{ id: string }>('select djr.acknowledge($1, $2, $3) as id', [user, ids, status])).map(({ id }) =>
    Number(id),
  );

test('Steps of many events are recorded in one call, with what is known of each', async (t) => {
  const db = await createDatabase(t);
  const [one, two] = [await publish(db), await publish(db, `djr.publish_global('t')`)];
  const rows = await record(db, [one, 'sent', '7', 2], [two, 'dispatched'], [two, 'error', '8', 1]);
  t.is(rows[0]!.recorded, '3');
  t.deepEqual(
    await db.query('select event_id::int, status, user_id, recipients, instance from djr.activity order by 1, 2'),
    [
      { event_id: one, status: 'sent', user_id: '7', recipients: 2, instance: 'i1' },
      { event_id: two, status: 'dispatched', user_id: null, recipients: null, instance: 'i1' },
      { event_id: two, status: 'error', user_id: '8', recipients: 1, instance: 'i1' },
    ],
  );
});

test('Events that were not stored, or are pruned or being deleted, are left out, and the rest is recorded', async (t) => {
  const db = await createDatabase(t);
  const [kept, pruned, leaving] = [await publish(db), await publish(db), await publish(db)];
  await db.query('delete from djr.event where id = $1', [pruned]);
  const deleting = await db.connect();
  await deleting.query('begin');
  await deleting.query('delete from djr.event where id = $1', [leaving]);
  const rows = await record(
    db,
    [kept, 'sent', '7', 1],
    [pruned, 'sent', '7', 1],
    [leaving, 'sent', '7', 1],
    [999, 'sent'],
  );
  await deleting.query('commit');
  t.is(rows[0]!.recorded, '1');
  t.deepEqual(await db.query('select event_id::int as id from djr.activity'), [{ id: kept }]);
});

test('With activity off nothing is recorded', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  await db.query(`select djr.configure(activity => 'off')`);
  t.is((await record(db, [id, 'sent', '7', 1]))[0]!.recorded, '0');
  t.deepEqual(await acknowledge(db, '7', [id]), [id]);
  t.deepEqual(await db.query('select from djr.activity'), []);
});

test('The status is the furthest step, and recipients are those of all instances', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  const status = async () =>
    (await db.query('select status, recipients::int, errors::int from djr.event_status where id = $1', [id]))[0];
  t.deepEqual(await status(), { status: 'new', recipients: 0, errors: 0 });
  await record(db, [id, 'dispatched']);
  t.deepEqual(await status(), { status: 'dispatched', recipients: 0, errors: 0 });
  await record(db, [id, 'error'], [id, 'error', '7', 2]);
  t.deepEqual(await status(), { status: 'error', recipients: 0, errors: 3 });
  await record(db, [id, 'sent', '7', 2], [id, 'sent', '7', 3]);
  t.deepEqual(await status(), { status: 'sent', recipients: 5, errors: 3 });
  await acknowledge(db, '7', [id], 'delivered');
  t.is((await status())!.status, 'delivered');
  await acknowledge(db, '7', [id], 'read');
  await record(db, [id, 'sent', '7', 1]);
  t.deepEqual(await status(), { status: 'read', recipients: 6, errors: 3 });
});

test("Only an event's own user acknowledges it: not another, and no public, system or unknown event", async (t) => {
  const db = await createDatabase(t);
  const own = await publish(db);
  const others = await publish(db, `djr.publish('8', 't')`);
  const everyones = await publish(db, `djr.publish_global('t')`);
  const systems = await publish(db, `djr.publish_system('t', user_id => '7'::text)`);
  t.deepEqual(await acknowledge(db, '7', [others, own, everyones, systems, 999]), [own]);
  t.deepEqual(await db.query('select event_id::int as id, status, user_id, recipients from djr.activity'), [
    { id: own, status: 'read', user_id: '7', recipients: null },
  ]);
});

test('Acknowledging again, at the same time too, changes nothing', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  const answers = await Promise.all(Array.from({ length: 10 }, () => acknowledge(db, '7', [id, id])));
  t.deepEqual(answers, Array(10).fill([id, id]));
  await acknowledge(db, '7', [id], 'delivered');
  t.deepEqual(await db.query('select status from djr.activity order by status'), [
    { status: 'delivered' },
    { status: 'read' },
  ]);
});

test('An acknowledgement is delivered or read, and nothing else', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  for (const status of ['sent', 'error', '', null]) {
    await t.throwsAsync(db.query('select djr.acknowledge($1, $2, $3)', ['7', [id], status]), { code: 'DJR10' });
  }
  t.deepEqual(await db.query(`select djr.acknowledge(null, array[]::bigint[], 'read')`), []);
  t.deepEqual(await db.query(`select djr.acknowledge(null, null, 'read')`), []);
  t.deepEqual(await db.query(`select djr.acknowledge(null, $1, 'read')`, [[id]]), []);
});

test('The activity of an event goes with it', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  await record(db, [id, 'sent', '7', 1]);
  await acknowledge(db, '7', [id]);
  await db.query(`select djr.prune('0 seconds')`);
  t.deepEqual(await db.query('select from djr.activity'), []);
});

for (const truncate of ['truncate djr.event', 'truncate djr.event, djr.activity', 'truncate djr.event cascade']) {
  test(`All activity goes when all events do: ${truncate}`, async (t) => {
    const db = await createDatabase(t);
    await record(db, [await publish(db), 'sent']);
    await db.query(truncate);
    t.deepEqual(await db.query('select from djr.activity'), []);
  });
}

test('Whoever deletes an event while its activity is being recorded waits, and takes it along', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  const recording = await db.connect();
  await recording.query('begin');
  await recording.query(`select djr.record_activity('i1', array[$1::bigint], '{sent}', '{null}', '{1}')`, [id]);
  const deleting = await db.connect();
  const { rows } = await deleting.query<{ pid: number }>('select pg_backend_pid() as pid');
  const deleted = deleting.query('delete from djr.event where id = $1', [id]);
  await until('the deletion waits', async () => {
    const [waiting] = await db.query('select from pg_locks where pid = $1 and not granted', [rows[0]!.pid]);
    return waiting !== undefined;
  });
  await recording.query('commit');
  await deleted;
  t.deepEqual(await db.query('select from djr.activity'), []);
});

test('Activity that a deletion with an older snapshot could not see is gone once events are pruned past it', async (t) => {
  const db = await createDatabase(t);
  const id = await publish(db);
  const deleting = await db.connect();
  await deleting.query('begin isolation level repeatable read');
  await deleting.query('select from djr.event');
  await record(db, [id, 'sent']);
  await deleting.query('delete from djr.event where id = $1', [id]);
  await deleting.query('commit');
  const kept = await publish(db);
  await record(db, [kept, 'sent']);
  await db.query(`select djr.prune('1 day')`);
  t.deepEqual(await db.query('select event_id::int from djr.activity'), [{ event_id: kept }]);
});

test('Two instances that acknowledge the same events in other orders never deadlock', async (t) => {
  const db = await createDatabase(t);
  for (let round = 0; round < 15; round += 1) {
    const ids = (
      await db.query<{ id: string }>(`select djr.publish('u' || n, 't') as id from generate_series(1, 40) n`)
    ).map(({ id }) => id);
    const users = ids.map((_, n) => `u${n + 1}`);
    const acknowledge = (order: (list: string[]) => string[]) =>
      db.query(`select djr._acknowledge('i', $1, $2, array_fill('read'::text, array[40]))`, [order(users), order(ids)]);
    await Promise.all([
      acknowledge((list) => list),
      acknowledge((list) => list.toReversed()),
      acknowledge((list) => [...list.slice(20), ...list.slice(0, 20)]),
      acknowledge((list) => list.slice().toReversed()),
    ]);
  }
  t.is((await db.query('select from djr.activity')).length, 15 * 40);
});
