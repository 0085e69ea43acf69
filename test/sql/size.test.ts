import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

/** A detail that makes the message of the next event exactly `bytes` long, of two-byte characters as far as possible. */
async function detailOf(db: TestDatabase, bytes: number, publish: (detail: string) => string): Promise<string> {
  const error = await refusal(db, publish(JSON.stringify({ t: 'ü'.repeat(5000) })));
  const size = Number(/(\d+) bytes; the limit is 7999/.exec(error.detail!)![1]);
  const surplus = size - bytes;
  return JSON.stringify({ t: 'ü'.repeat(5000 - Math.ceil(surplus / 2)) + 'a'.repeat(surplus % 2) });
}

const ways: [string, boolean, (detail: string) => string][] = [
  ['publish', true, (detail) => `select djr.publish('u', 't', '${detail}')`],
  ['publish with storage off', false, (detail) => `select djr.publish('u', 't', '${detail}')`],
  [
    'a plain INSERT',
    true,
    (detail) => `insert into djr.event (scope, user_id, type, detail) values ('user', 'u', 't', '${detail}')`,
  ],
];
for (const [way, storage, publish] of ways) {
  test(`${way}: a message of 7,999 bytes passes and one of 8,000 does not, in bytes and not in characters`, async (t) => {
    const db = await createDatabase(t);
    await db.query('select djr.configure(storage => $1)', [storage]);
    // Ids of one length, so that the messages differ by their details alone.
    await db.query("select setval('djr.event_id_seq', 100000)");
    const listener = await listen(db);
    const fits = await detailOf(db, 7999, publish);
    await db.query(publish(fits));
    const [message] = await listener.messages(1);
    t.is(Buffer.byteLength(message!), 7999);

    const error = await refusal(db, publish(fits.replace('"}', 'b"}')));
    t.is(error.code, 'DJR05');
    t.regex(error.detail!, /8000 bytes; the limit is 7999 bytes/);
    t.truthy(error.hint);
    t.is((await db.query('select from djr.event')).length, storage ? 1 : 0);
  });
}

test('delivery by sweep refuses what is too large as well, and does not notify', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(delivery => 'sweep')`);
  const listener = await listen(db);
  t.is((await refusal(db, `select djr.publish('u', 't', jsonb_build_object('a', repeat('x', 8000)))`)).code, 'DJR05');
  await db.query(`select djr.publish('u', 't')`);
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  t.deepEqual(await listener.messages(1), ['end']);
});

test('a bulk INSERT packs events into few messages, each within the limit, all of them in order of id', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query(`insert into djr.event (scope, type, detail)
    select 'public', 'bulk', jsonb_build_object('n', n) from generate_series(1, 1000) n`);
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
  const messages = listener.received.slice(0, -1);
  t.true(messages.length < 20, `${messages.length} messages`);
  t.true(messages.every((message) => Buffer.byteLength(message) <= 7999));
  const ids = messages.flatMap((message) => message.split('\n')).map((line) => JSON.parse(line.split('\t')[0]!)[0]);
  t.deepEqual(
    ids,
    Array.from({ length: 1000 }, (_, index) => index + 1),
  );
});

test('of many thousand events the first are sent, and a doorbell behind them says that the others are to be read', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  await db.query(`insert into djr.event (scope, type, detail)
    select 'public', 'bulk', jsonb_build_object('n', n, 'pad', repeat('x', 48)) from generate_series(1, 10000) n`);
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
  const messages = listener.received.slice(0, -1);
  t.is(messages.pop(), '{"doorbell":"sweep"}');
  t.is(messages.length, 32);
  const ids = messages.flatMap((message) => message.split('\n')).map((line) => JSON.parse(line.split('\t')[0]!)[0]);
  t.true(ids.length > 1000);
  t.deepEqual(
    ids,
    Array.from({ length: ids.length }, (_, index) => index + 1),
  );
});

test('one event too large, or for nobody, among many thousand refuses them all, wherever it stands', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  for (const place of [1, 9999]) {
    const bulk = (scope: string, length: string) =>
      `insert into djr.event (scope, type, detail) select ${scope}, 'bulk', jsonb_build_object('n', n, 'pad', repeat('x', ${length}))
         from generate_series(1, 10000) n`;
    const tooLarge = await refusal(db, bulk("'public'", `case n when ${place} then 8000 else 48 end`));
    t.is(tooLarge.code, 'DJR05');
    const forNobody = await refusal(db, bulk(`case n when ${place} then 'user' else 'public' end`, '48'));
    t.is(forNobody.code, 'DJR02');
    // Nearly too large, they are looked at one by one, and pass.
    await db.query(bulk("'public'", `case n when ${place} then 7800 else 48 end`));
  }
  t.is((await db.query<{ n: string }>('select count(*) as n from djr.event'))[0]!.n, '20000');
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
  t.is(listener.received.filter((message) => message.startsWith('{"doorbell"')).length, 2);
});
