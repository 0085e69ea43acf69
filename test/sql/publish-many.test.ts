import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

const many = 'select djr.publish_many($1) as id';

test('publish_many stores 10,000 events in one call and returns their ids in order', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const events = Array.from({ length: 10_000 }, (_, n) => ({ user_id: n, type: 'bulk', detail: { n } }));
  const ids = (await db.query(many, [JSON.stringify(events)])).map(({ id }) => Number(id));
  const rows = await db.query('select id, user_id from djr.event order by id');
  t.deepEqual(
    ids,
    rows.map(({ id }) => Number(id)),
  );
  t.deepEqual(
    rows.map(({ user_id }) => Number(user_id)),
    events.map(({ user_id }) => user_id),
  );
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
  t.true(listener.received.length < 120, `${listener.received.length} messages`);
});

test('publish_many takes every scope, private data and keys; without a scope it is user', async (t) => {
  const db = await createDatabase(t);
  const events = [
    { user_id: 'a', type: 't', detail: { n: 1 }, private_data: { s: 1 } },
    { scope: 'public', type: 't', key: 'k' },
    { scope: 'system', type: 't', user_id: null },
    { scope: 'public', type: 't', key: 'k' },
  ];
  const ids = (await db.query(many, [JSON.stringify(events)])).map(({ id }) => id);
  t.is(ids[3], ids[1]);
  const rows = await db.query('select id, scope, private_data from djr.event order by id');
  t.deepEqual(
    rows.map(({ scope }) => scope),
    ['user', 'public', 'system'],
  );
  t.deepEqual(
    rows.map(({ id }) => id),
    ids.slice(0, 3),
  );
  t.deepEqual(rows[0]!.private_data, { s: 1 });
});

test('A member of publish_many that is null is as one that is left out', async (t) => {
  const db = await createDatabase(t);
  const none = { private_data: null, key: null, topic: null, store: null };
  await db.query(many, [JSON.stringify([{ user_id: 'a', type: 't', ...none }])]);
  await db.query(many, [
    JSON.stringify([
      { user_id: 'a', type: 't', ...none, key: 'k' },
      { scope: 'system', type: 't', user_id: null },
    ]),
  ]);
  t.deepEqual(await db.query('select from djr.event where private_data is null and topic is null'), [{}, {}, {}]);
});

test('publish_many of nothing publishes nothing', async (t) => {
  const db = await createDatabase(t);
  t.deepEqual(await db.query(many, ['[]']), []);
});

test('publish_many with storage off notifies each event and stores none', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  const listener = await listen(db);
  t.is(
    (
      await db.query(many, [
        JSON.stringify([
          { user_id: 1, type: 'a' },
          { user_id: 2, type: 'b' },
        ]),
      ])
    ).length,
    2,
  );
  t.is((await listener.messages(2)).length, 2);
  t.is(JSON.parse(listener.received[0]!.split('\t')[0]!)[1], null);
  t.deepEqual(await db.query('select from djr.event'), []);
});

const good = { user_id: 'a', type: 't' };
const wrong: [what: string, events: unknown, code: string, place: string][] = [
  ['what is no array', good, 'DJR09', 'array'],
  ['an element that is no object', [good, 7], 'DJR09', 'events[1]'],
  ['a member that events do not have', [good, good, { userId: 'a', type: 't' }], 'DJR09', 'events[2]'],
  ['a user_id that is an object', [{ user_id: {}, type: 't' }], 'DJR09', 'events[0]'],
  ['an event without user or scope', [good, { type: 't' }], 'DJR02', 'events[1]'],
  ['a type with a space', [good, { ...good, type: 'a b' }], 'DJR01', 'events[1]'],
  ['a detail that is no object', [good, { ...good, detail: [] }], 'DJR04', 'events[1]'],
];
for (const [what, events, code, place] of wrong) {
  test(`publish_many refuses ${what} with ${code}, says where, and stores nothing`, async (t) => {
    const db = await createDatabase(t);
    const error = await refusal(db, many, [JSON.stringify(events)]);
    t.is(error.code, code);
    t.true(error.message.includes(place), error.message);
    t.deepEqual(await db.query('select from djr.event'), []);
  });
}

test('publish_many looks at every type, whatever the first one is', async (t) => {
  const db = await createDatabase(t);
  const publish = (...types: unknown[]) =>
    db.query('select djr.publish_many($1)', [JSON.stringify(types.map((type) => ({ scope: 'public', type })))]);
  await publish('a', 'b', 'a');
  for (const [wrong, code] of [
    ['two words', 'DJR01'],
    ['reset', 'DJR01'],
    [5, 'DJR09'],
    [null, 'DJR09'],
    [{}, 'DJR09'],
  ]) {
    await t.throwsAsync(publish('a', 'a', wrong), { code: code as string, message: /events\[2\]/ });
    await t.throwsAsync(publish(wrong, wrong), { code: code as string, message: /events\[0\]/ });
  }
  t.is((await db.query('select from djr.event')).length, 3);
});

test('Of several members that events do not have one is named, whatever PL/pgSQL checks in this session', async (t) => {
  const db = await createDatabase(t);
  const client = await db.connect();
  await client.query(`set plpgsql.extra_errors = 'all'`);
  const error = await refusal(client, many, ['[{"user_id": 1, "type": "t", "one": 1, "two": 2}]']);
  t.is(error.code, 'DJR09');
});
