import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { until } from '../helpers/server.js';
import { listen, refusal } from '../helpers/sql.js';

const publish = (key: string) => `select djr.publish('1', 't', key => '${key}') as id`;

test('a second publish under one key stores and sends nothing, and returns the first id', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const [first] = await db.query(publish('k'));
  const [second] = await db.query(`select djr.publish('1', 't', '{"n": 2}', key => 'k') as id`);
  t.is(second!.id, first!.id);
  t.is((await db.query('select from djr.event')).length, 1);
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  t.is((await listener.messages(2))[1], 'end');
});

test('two sessions with one key at once: one event, and both get its id', async (t) => {
  const db = await createDatabase(t);
  const [one, two] = [await db.connect(), await db.connect()];
  await one.query('begin');
  const first = await one.query(publish('k'));
  const { pid } = (await two.query('select pg_backend_pid() as pid')).rows[0];
  const second = two.query(publish('k'));
  await until(
    'the second waits',
    async () => (await db.query('select pg_blocking_pids($1) as by', [pid]))[0]!.by.length > 0,
  );
  await one.query('commit');
  t.is((await second).rows[0].id, first.rows[0].id);
  t.is((await db.query('select from djr.event')).length, 1);
});

test('a key is free again when its publisher rolled back', async (t) => {
  const db = await createDatabase(t);
  const one = await db.connect();
  await one.query('begin');
  await one.query(publish('k'));
  await one.query('rollback');
  await db.query(publish('k'));
  t.is((await db.query('select from djr.event')).length, 1);
});

test('a key with storage off is refused with DJR06', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  t.is((await refusal(db, publish('k'))).code, 'DJR06');
  t.is((await refusal(db, `select djr.publish_many('[{"user_id": "1", "type": "t", "key": "k"}]')`)).code, 'DJR06');
});

test('publishers of different keys in opposite order do not wait for each other', async (t) => {
  const db = await createDatabase(t);
  const [one, two] = [await db.connect(), await db.connect()];
  await one.query('begin');
  await two.query('begin');
  await one.query(publish('a'));
  await two.query(publish('b'));
  await one.query(`select djr.publish('1', 't')`);
  await two.query(`select djr.publish('1', 't')`);
  await two.query('commit');
  await one.query('commit');
  t.is((await db.query('select from djr.event')).length, 4);
});

const events = (...list: object[]) => `select djr.publish_many('${JSON.stringify(list)}')`;
const first = { user_id: 'secret', type: 'paid', key: 'k' };

/** Each differs from `first` in one thing. */
const others: Record<string, string> = {
  'another user': `select djr.publish('other', 'paid', key => 'k')`,
  'another type': `select djr.publish('secret', 'refunded', key => 'k')`,
  'another type by publish_global': `select djr.publish_global('news', key => 'k')`,
  everyone: `select djr.publish_global('paid', key => 'k')`,
  'the backend': `select djr.publish_system('paid', '{}', 'secret', key => 'k')`,
  'the backend, about nobody': `select djr.publish_system('paid', key => 'k')`,
  'another user in publish_many': events({ user_id: 'other', type: 'paid', key: 'k' }),
  'another type in publish_many': events({ ...first, type: 'refunded' }),
  'another scope in publish_many': events({ ...first, scope: 'system' }),
  'everyone in publish_many': events({ scope: 'public', type: 'paid', key: 'k' }),
};

for (const [what, sql] of Object.entries(others)) {
  test(`a key of another event is refused with DJR12, and tells nothing of that event: ${what}`, async (t) => {
    const db = await createDatabase(t);
    await db.query(events(first));
    const error = await refusal(db, sql);
    t.is(error.code, 'DJR12');
    t.regex(error.message, /a key must be of one event \("k" is of another one\)/);
    t.notRegex([error.message, error.detail, error.hint].join(), /secret|paid/);
    t.is((await db.query('select from djr.event')).length, 1);
  });
}

test('events of one publish_many that share a key and differ are refused, and the error says which', async (t) => {
  const db = await createDatabase(t);
  const error = await refusal(db, events({ user_id: 'a', type: 't' }, first, { ...first, user_id: 'other' }));
  t.is(error.code, 'DJR12');
  t.regex(error.message, /^events\[2\]: /);
  t.notRegex([error.message, error.detail, error.hint].join(), /secret/);
  t.is((await db.query('select from djr.event')).length, 0);
});

test('events of one publish_many that share a key and are the same are one, and each gets its id', async (t) => {
  const db = await createDatabase(t);
  const ids = await db.query<{ id: string }>(
    `${events({ ...first, key: 'z' }, first, { user_id: 'b', type: 't' }, first)} as id`,
  );
  t.is(ids[1]!.id, ids[3]!.id);
  t.is(new Set(ids.map(({ id }) => id)).size, 3);
  const stored = await db.query<{ id: string; key: string | null }>('select id, key from djr.event order by id');
  t.deepEqual(
    stored.map(({ key }) => key),
    ['z', 'k', null],
  );
  t.deepEqual(
    stored.map(({ id }) => id),
    ids.slice(0, 3).map(({ id }) => id),
  );
});

test('a plain INSERT under a key that is used is refused by the index', async (t) => {
  const db = await createDatabase(t);
  await db.query(events(first));
  const error = await refusal(
    db,
    `insert into djr.event (scope, user_id, type, key) values ('user', 'other', 't', 'k')`,
  );
  t.is(error.code, '23505');
});

test('many publish_many at once with the same keys in other orders never deadlock', async (t) => {
  const db = await createDatabase(t);
  const keys = Array.from({ length: 40 }, (_, n) => ({ user_id: '1', type: 't', key: `k${n}` }));
  const orders = [keys, keys.toReversed(), [...keys.slice(20), ...keys.slice(0, 20)], keys.slice(20).toReversed()];
  for (let round = 0; round < 15; round += 1) {
    const own = (list: typeof keys) => list.map((event) => ({ ...event, key: `${event.key} ${round}` }));
    await Promise.all([...orders, ...orders].map((list) => db.query(events(...own(list)))));
  }
  t.is((await db.query('select from djr.event')).length, 15 * 40);
});

test('what publish_many publishes under keys is announced in the order of its array', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query(events(...['c', 'a', 'b'].map((key) => ({ user_id: key, type: 't', key }))));
  const users = (await listener.messages(1))[0]!.split('\n').map((line) => JSON.parse(line.split('\t')[0]!)[3]);
  t.deepEqual(users, ['c', 'a', 'b']);
});
