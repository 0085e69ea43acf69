import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

const rows = async (db: TestDatabase) => (await db.query('select from djr.event')).length;

const one = async (db: TestDatabase, call: string): Promise<number | null> => {
  const [row] = await db.query<{ id: string | null }>(`select ${call} as id`);
  return row!.id === null ? null : Number(row!.id);
};

const ID = '018f2b1c-7d1e-7000-8000-000000000001';

/** A call, and the scope, user and topic of the event that it sends. */
const calls: [call: string, scope: string, user: string | null, topic: string | null][] = [
  [`djr.publish('ann', 'typing', '{"n": 1}', store => false)`, 'user', 'ann', null],
  [`djr.publish('ann', 'typing', '{"n": 1}', null, null, false)`, 'user', 'ann', null],
  [`djr.publish(42, 'typing', '{"n": 1}', store => false)`, 'user', '42', null],
  [`djr.publish(42::smallint, 'typing', '{"n": 1}', store => false)`, 'user', '42', null],
  [`djr.publish(42::bigint, 'typing', '{"n": 1}', store => false)`, 'user', '42', null],
  [`djr.publish(42.0, 'typing', '{"n": 1}', store => false)`, 'user', '42', null],
  [`djr.publish('${ID}'::uuid, 'typing', '{"n": 1}', store => false)`, 'user', ID, null],
  [`djr.publish_public('typing', '{"n": 1}', store => false)`, 'public', null, null],
  [`djr.publish_global('typing', '{"n": 1}', store => false)`, 'public', null, null],
  [`djr.publish_system('typing', '{"n": 1}', store => false)`, 'system', null, null],
  [`djr.publish_system('typing', '{"n": 1}', 42, store => false)`, 'system', '42', null],
  [`djr.publish_system('typing', '{"n": 1}', '42'::text, store => false)`, 'system', '42', null],
  [`djr.publish_topic('room:7', 'typing', '{"n": 1}', store => false)`, 'topic', null, 'room:7'],
  [`djr.publish_many('[{"user_id": 42, "type": "typing", "detail": {"n": 1}, "store": false}]')`, 'user', '42', null],
  [
    `djr.publish_many('[{"topic": "room:7", "type": "typing", "detail": {"n": 1}, "store": false}]')`,
    'topic',
    null,
    'room:7',
  ],
];

for (const [call, scope, user, topic] of calls) {
  test(`${call} notifies, stores no row, and returns the id that is sent`, async (t) => {
    const db = await createDatabase(t);
    const listener = await listen(db);
    const id = await one(db, call);
    const [message] = await listener.messages(1);
    const [head, detail] = message!.split('\t');
    const [sent, xid, ...rest] = JSON.parse(head!);
    t.is(sent, id);
    t.is(xid, null);
    t.deepEqual([rest[0], rest[1], rest[2], rest[4], rest[5]], [scope, user, 'typing', topic, 'unstored']);
    t.deepEqual(JSON.parse(detail!), { n: 1 });
    t.is(await rows(db), 0);
  });
}

test('store => true, null and nothing are the same: there is a row', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.publish('ann', 'a', store => true), djr.publish('ann', 'a', store => null), djr.publish('ann', 'a'),
    djr.publish_public('a', '{}', null, null, true)`);
  await db.query(
    `select djr.publish_many('[{"user_id": 1, "type": "a", "store": true}, {"user_id": 1, "type": "a", "store": null}]')`,
  );
  t.is(await rows(db), 6);
});

test('an event without a row is sent when its transaction commits, and not at all when it is rolled back', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const client = await db.connect();
  await client.query('begin');
  await client.query(`select djr.publish('ann', 'gone', store => false)`);
  await client.query('rollback');
  await client.query('begin');
  await client.query(
    `select djr.publish('ann', 'first', store => false), djr.publish('ann', 'second', store => false)`,
  );
  await db.query(`select pg_notify(djr.channel(), 'between')`);
  await client.query('commit');
  const messages = await listener.messages(3);
  t.is(messages[0], 'between');
  t.deepEqual(
    messages.slice(1).map((message) => JSON.parse(message.split('\t')[0]!)[4]),
    ['first', 'second'],
  );
});

const wrong: [call: string, code: string, message: RegExp][] = [
  [`djr.publish('ann', 'two words', store => false)`, 'DJR01', /must have no white space/],
  [`djr.publish('ann', 'reset', store => false)`, 'DJR01', /must not be one that/],
  [`djr.publish(null::text, 'typing', store => false)`, 'DJR02', /must have a user_id/],
  [`djr.publish('', 'typing', store => false)`, 'DJR03', /1 to 255 characters/],
  [`djr.publish('ann', 'typing', '[]', store => false)`, 'DJR04', /must be a JSON object/],
  [`djr.publish_topic('room 7', 'typing', store => false)`, 'DJR18', /no white space/],
  [
    `djr.publish('ann', 'typing', key => 'k', store => false)`,
    'DJR06',
    /^an event with a key must be stored \(store is false\)/,
  ],
  [
    `djr.publish('ann', 'typing', jsonb_build_object('t', repeat('x', 8000)), store => false)`,
    'DJR05',
    /without a row its message must have at most 7999 bytes \(it has \d+\)/,
  ],
  [
    `djr.publish_many('[{"user_id": 1, "type": "a"}, {"user_id": 1, "type": "a", "store": "no"}]')`,
    'DJR09',
    /^events\[1\]: store must be true or false \(it is "no"\)/,
  ],
  [
    `djr.publish_many('[{"user_id": 1, "type": "a"}, {"user_id": 1, "type": "a", "store": 0}]')`,
    'DJR09',
    /^events\[1\]: store must be true or false/,
  ],
  [
    `djr.publish_many('[{"user_id": 1, "type": "a", "key": "k", "store": false}]')`,
    'DJR06',
    /^events\[0\]: an event with a key must be stored/,
  ],
  [
    `djr.publish_many(jsonb_build_array('{"user_id": 1, "type": "a"}'::jsonb, jsonb_build_object('user_id', 1, 'type', 'a', 'store', false, 'detail', jsonb_build_object('t', repeat('x', 8000)))))`,
    'DJR05',
    /without a row/,
  ],
];
for (const [call, code, message] of wrong) {
  test(`${call.slice(0, 120)} is refused with ${code}, and nothing is stored or sent`, async (t) => {
    const db = await createDatabase(t);
    const listener = await listen(db);
    // Larger ones may be stored: that lets none through that has no row.
    await db.query('select djr.configure(max_bytes => 1048576)');
    const error = await refusal(db, `select ${call}`);
    t.is(error.code, code);
    t.regex(error.message, message);
    t.truthy(error.hint);
    await db.query(`select pg_notify(djr.channel(), 'end')`);
    while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
    t.deepEqual(
      listener.received.filter((payload) => payload.startsWith('[')),
      [],
    );
    t.is(await rows(db), 0);
  });
}

test('publish_many mixes both: ids in the order of the array, rows for the stored ones, few messages for the others', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const events = Array.from({ length: 200 }, (_, n) => ({
    user_id: 1,
    type: 'n',
    detail: { n },
    ...(n % 2 === 0 ? { store: false } : {}),
    ...(n === 151 ? { key: 'k' } : {}),
  }));
  const ids = (await db.query<{ id: string }>('select djr.publish_many($1) as id', [JSON.stringify(events)])).map(
    ({ id }) => Number(id),
  );
  t.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  );
  const stored = await db.query<{ id: string; n: number }>(
    `select id, (detail ->> 'n')::int as n from djr.event order by id`,
  );
  t.deepEqual(
    stored.map(({ id, n }) => [Number(id), n]),
    events.flatMap(({ store, detail: { n } }) => (store === false ? [] : [[ids[n], n]])),
  );
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
  const lines = listener.received.slice(0, -1).flatMap((message) => message.split('\n'));
  const unstored = lines.map((line) => JSON.parse(line.split('\t')[0]!)).filter(([, xid]) => xid === null);
  t.deepEqual(
    unstored.map(([id]) => id),
    events.flatMap(({ store, detail: { n } }) => (store === false ? [ids[n]] : [])),
  );
  t.true(listener.received.length < 15, `${listener.received.length} messages`);
});

test('with storage off store => false is sent as well, and marked', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  const listener = await listen(db);
  await db.query(`select djr.publish('ann', 'a', store => false)`);
  await db.query(
    `select djr.publish_many('[{"user_id": 1, "type": "b", "store": false}, {"user_id": 1, "type": "c"}]')`,
  );
  const heads = (await listener.messages(3)).map((message) => JSON.parse(message.split('\t')[0]!));
  t.deepEqual(
    heads.map((head) => [head[4], head[7]]),
    [
      ['a', 'unstored'],
      ['b', 'unstored'],
      ['c', undefined],
    ],
  );
});

test('an event without a row cannot be replayed: the error says that it was never stored', async (t) => {
  const db = await createDatabase(t);
  const id = await one(db, `djr.publish('ann', 'a', store => false)`);
  const error = await refusal(db, `select djr.replay(${id})`);
  t.is(error.code, 'DJR07');
  t.regex(error.detail!, /never stored/);
});

test('a role with grant_publish may publish without a row, and one without may not', async (t) => {
  const db = await createDatabase(t);
  const role = `unstored_${db.name}`;
  await db.query(`create role ${role}`);
  t.teardown(() => db.query(`drop owned by ${role}; drop role ${role}`));
  const client = await db.connect();
  await client.query(`set role ${role}`);
  const call = `select djr.publish(1, 'a', store => false), djr.publish_many('[{"user_id": 1, "type": "a", "store": false}]')`;
  t.is((await t.throwsAsync<Error & { code: string }>(client.query(call)))!.code, '42501');
  await client.query(`reset role; select djr.grant_publish('${role}'); set role ${role}`);
  await client.query(call);
  t.is(await rows(db), 0);
});
