import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

const detail = (length: number) => `jsonb_build_object('t', repeat('x', ${length}))`;
const stored = async (db: TestDatabase) =>
  (await db.query<{ n: string }>('select octet_length(detail::text) as n from djr.event order by id')).map(({ n }) =>
    Number(n),
  );

for (const value of [7998, 0, -1, 1_048_577, 2_147_483_647]) {
  test(`max_bytes => ${value} is refused as every setting out of its range is`, async (t) => {
    const db = await createDatabase(t);
    const error = await refusal(db, `select djr.configure(max_bytes => ${value})`);
    t.is(error.code, 'DJR10');
    t.is(error.message, `max_bytes must be between 7999 and 1048576 (it is ${value})`);
    t.truthy(error.hint);
    t.deepEqual(await db.query('select max_bytes from djr.settings'), [{ max_bytes: 7999 }]);
  });
}

for (const value of [7999, 262_144, 1_048_576]) {
  test(`max_bytes => ${value} is taken, returned, and left alone by a later change of another setting`, async (t) => {
    const db = await createDatabase(t);
    const [row] = await db.query<{ max: number }>(`select (djr.configure(max_bytes => ${value})).max_bytes as max`);
    t.is(row!.max, value);
    await db.query(`select djr.configure(activity => 'off')`);
    t.deepEqual(await db.query('select max_bytes from djr.settings'), [{ max_bytes: value }]);
  });
}

const ways: [way: string, publish: (detail: string) => string][] = [
  ['publish', (d) => `select djr.publish('ann', 'large', ${d})`],
  ['publish with a key', (d) => `select djr.publish('ann', 'large', ${d}, key => 'k')`],
  ['publish_public', (d) => `select djr.publish_public('large', ${d})`],
  ['publish_system', (d) => `select djr.publish_system('large', ${d})`],
  ['publish_topic', (d) => `select djr.publish_topic('room:7', 'large', ${d})`],
  [
    'publish_many',
    (d) =>
      `select djr.publish_many(jsonb_build_array(jsonb_build_object('user_id', 1, 'type', 'large', 'detail', ${d})))`,
  ],
  ['a plain INSERT', (d) => `insert into djr.event (scope, type, detail) values ('public', 'large', ${d})`],
];
for (const [way, publish] of ways) {
  for (const delivery of ['notify', 'sweep']) {
    test(`${way}, delivery ${delivery}: the limit holds to the byte, and what NOTIFY cannot carry is a row${delivery === 'notify' ? ' and a doorbell' : ''}`, async (t) => {
      const db = await createDatabase(t);
      await db.query(`select djr.configure(delivery => '${delivery}')`);
      t.is((await refusal(db, publish(detail(9000)))).code, 'DJR05');
      await db.query('select djr.configure(max_bytes => 100000)');
      const listener = await listen(db);
      // In one transaction, and with ids of one length, the messages differ by their details alone.
      await db.query("select setval('djr.event_id_seq', 100000)");
      const publisher = await db.connect();
      await publisher.query('begin; savepoint before');
      const refused = async (length: number) => {
        const error = await refusal(publisher, publish(detail(length)));
        await publisher.query('rollback to before');
        return error;
      };
      const error = await refused(150_000);
      t.is(error.code, 'DJR05');
      const [, size, most] = /^Its message is (\d+) bytes; the limit is (\d+) bytes\.$/.exec(error.detail!)!;
      t.is(most, '100000');
      const fits = 150_000 - (Number(size) - 100_000);
      t.is((await refused(fits + 1)).detail, 'Its message is 100001 bytes; the limit is 100000 bytes.');
      await publisher.query(publish(detail(fits)));
      await publisher.query('commit');
      t.deepEqual(await stored(db), [fits + 9]);
      await db.query(`select pg_notify(djr.channel(), 'end')`);
      while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
      const own = listener.received.slice(0, -1);
      t.deepEqual(own, delivery === 'notify' ? ['{"doorbell":"sweep"}'] : []);
    });
  }
}

test('of one statement the small ones before a large one are sent, and a doorbell for it and all behind it, in this order', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(max_bytes => 1048576)');
  const listener = await listen(db);
  await db.query(`insert into djr.event (scope, type, detail)
    select 'public', 'n', jsonb_build_object('n', n, 'pad', repeat('x', case n when 4 then 900000 else 1 end)) from generate_series(1, 9) n order by n`);
  const [message, doorbell] = await listener.messages(2);
  t.deepEqual(
    message!.split('\n').map((line) => JSON.parse(line.split('\t')[1]!).n),
    [1, 2, 3],
  );
  t.regex(doorbell!, /^\{"doorbell"/);
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  t.is((await listener.messages(3))[2], 'end');
  t.is((await stored(db)).length, 9);
});

test('with storage off there is no row that a sweep could bring: the limit is 7,999 bytes, and the error says why', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(max_bytes => 262144, storage => false)');
  for (const call of [
    `djr.publish('ann', 'large', ${detail(9000)})`,
    `djr.publish('ann', 'large', ${detail(9000)}, store => false)`,
    `djr.publish_many(jsonb_build_array(jsonb_build_object('user_id', 1, 'type', 'large', 'detail', ${detail(9000)})))`,
  ]) {
    const error = await refusal(db, `select ${call}`);
    t.is(error.code, 'DJR05');
    t.regex(error.message, /without a row its message must have at most 7999 bytes/);
    t.regex(error.detail!, /the limit is 7999 bytes/);
    t.regex(error.hint!, /row|Store/);
  }
});

test('a replay of a large event is one, by the limit that is in force then', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(max_bytes => 262144)');
  await db.query(`select djr.publish('ann', 'large', ${detail(100_000)})`);
  await db.query('select djr.replay(1)');
  t.deepEqual(await stored(db), [100_009, 100_009]);
  await db.query('select djr.configure(max_bytes => 7999)');
  t.is((await refusal(db, 'select djr.replay(1)')).code, 'DJR05');
});

for (const refuse of [false, true]) {
  test(`a row too large for the limit in force is ${refuse ? 'refused where the trigger says so' : 'truncated'}, and below it sent whole`, async (t) => {
    const db = await createDatabase(t);
    await db.query(`create table page (id int primary key, body text);
      create trigger publish after insert on page for each row
        execute function djr.publish_row('page', '', 'id,body', ''${refuse ? ", 'refuse'" : ''})`);
    const insert = (id: number, length: number) => db.query(`insert into page values (${id}, repeat('x', ${length}))`);
    const isTruncated = async (id: number) =>
      (
        await db.query(
          `select detail ? 'truncated' as cut from djr.event where detail -> 'id' = '${id}' or detail -> ':id' = '${id}'`,
        )
      )[0]?.cut;
    if (refuse) await t.throwsAsync(insert(1, 20_000));
    else {
      await insert(1, 20_000);
      t.is(await isTruncated(1), true);
    }
    await db.query('select djr.configure(max_bytes => 100000)');
    await insert(2, 20_000);
    t.is(await isTruncated(2), false);
    if (refuse) await t.throwsAsync(insert(3, 200_000));
    else {
      await insert(3, 200_000);
      t.is(await isTruncated(3), true);
      await db.query('select djr.configure(storage => false)');
      // Without a row NOTIFY has to carry it.
      const listener = await listen(db);
      await insert(4, 20_000);
      const [message] = await listener.messages(1);
      t.true(JSON.parse(message!.split('\t')[1]!).truncated);
    }
  });
}
