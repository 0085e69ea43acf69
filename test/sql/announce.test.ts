import { once } from 'node:events';
import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

/** Events that an INSERT by the owner could bring: scope, user, topic, time and detail; what they are refused with. */
const WRONG: [values: string, code: string, message: RegExp][] = [
  [`'user', null, null, now(), '{}'`, 'DJR02', /^an event of scope user must have a user_id \(it is null\)$/],
  [`'public', 'ann', null, now(), '{}'`, 'DJR02', /^an event of scope public must have no user_id \(it is "ann"\)$/],
  [`'topic', null, null, now(), '{}'`, 'DJR02', /^an event of scope topic must have a topic \(it is null\)$/],
  [`'topic', 'ann', 'room:7', now(), '{}'`, 'DJR02', /^an event of scope topic must have no user_id \(it is "ann"\)$/],
  [
    `'public', null, 'room:7', now(), '{}'`,
    'DJR02',
    /^an event of scope public must have no topic \(it is "room:7"\)$/,
  ],
  [`'user', 'ann', 'room:7', now(), '{}'`, 'DJR02', /^an event of scope user must have no topic \(it is "room:7"\)$/],
  [
    `'user', 'ann', null, '1969-12-31', '{}'`,
    'DJR16',
    /^event "paid" must have an id, a transaction and a time that every/,
  ],
  [
    `'public', null, null, now(), jsonb_build_object('t', repeat('x', 8000))`,
    'DJR05',
    /^event "paid" is too large: its message must have at most 7999 bytes \(it has 80\d\d\)$/,
  ],
];

for (const delivery of ['notify', 'sweep']) {
  test(`With delivery ${delivery} an INSERT is refused if an event of it is for nobody, cannot be read or is too large`, async (t) => {
    const db = await createDatabase(t);
    await db.query(`select djr.configure(delivery => '${delivery}')`);
    const insert = (...events: string[]) =>
      `insert into djr.event (scope, user_id, topic, created_at, detail, type)
       values ${events.map((event) => `(${event}, 'paid')`)}`;
    const good = `'public', null, null, now(), '{}'`;
    for (const [values, code, message] of WRONG) {
      for (const others of [[], [good]]) {
        const error = await refusal(db, insert(...others, values));
        t.is(error.code, code, values);
        t.regex(error.message, message);
      }
    }
    t.deepEqual(await db.query('select from djr.event'), []);
  });
}

test('While delivery is sweep no size of an event makes its INSERT notify', async (t) => {
  const db = await createDatabase(t);
  await db.query(`select djr.configure(delivery => 'sweep')`);
  const listener = await listen(db);
  for (const size of [10, 5000, 6000, 7900]) {
    await db.query(`select djr.publish_public('paid', jsonb_build_object('t', repeat('x', ${size})))`);
  }
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  t.deepEqual(await listener.messages(1), ['end']);
});

test('Events of a statement are one message if that has 7,999 bytes, and two if it would have 8,000', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  // In one transaction, and with ids of one length, messages differ by their details alone.
  await db.query("select setval('djr.event_id_seq', 100000)");
  const client = await db.connect();
  await client.query('begin; savepoint before');
  const insert = (...lengths: number[]) =>
    `insert into djr.event (scope, type, detail)
     select 'public', 'paid', jsonb_build_object('t', repeat('x', length)) from unnest(array[${lengths}]) length`;
  const error = await refusal(client, insert(9000));
  await client.query('rollback to before');
  const besides = Number(/is (\d+) bytes; the limit/.exec(error.detail!)![1]) - 9000;
  const rest = 7999 - 1 - 2 * besides - 4000;
  await client.query(insert(4000, rest));
  await client.query(insert(4000, rest + 1));
  await client.query('commit');
  t.deepEqual(
    (await listener.messages(3)).map((message) => Buffer.byteLength(message)),
    [7999, besides + 4000, besides + rest + 1],
  );
});

test('Where the row of the settings is missing, an INSERT is announced and held to 7,999 bytes nevertheless', async (t) => {
  const db = await createDatabase(t);
  const client = await db.connect();
  const insert = (length: number) =>
    `insert into djr.event (scope, type, detail) values ('public', 'paid', jsonb_build_object('t', repeat('x', ${length})))`;
  await client.query('begin; delete from djr.settings; savepoint before');
  t.regex((await refusal(client, insert(9000))).detail!, /the limit is 7999 bytes/);
  await client.query('rollback to before');
  await client.query(insert(1));
  // The settings are back, with a channel of another name.
  const { rows } = await client.query<{ channel: string }>('select channel from djr.settings');
  await client.query(`listen "${rows[0]!.channel}"`);
  const heard = once(client, 'notification');
  await client.query('commit');
  const [{ payload }] = await heard;
  t.regex(payload, /^\[\d+,.*"paid"/);
});
