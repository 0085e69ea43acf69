import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { eventsOf, publishRows, publishStatements } from '../helpers/rows.js';
import { refusal } from '../helpers/sql.js';

/** What holds for a trigger on each row holds for one on whole statements. */
for (const [level, publish] of [
  ['row', publishRows],
  ['statement', publishStatements],
] as const) {
  test(`for each ${level}: a change of the primary key tells the old id as well, but not to a user who never knew it`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id bigint primary key, user_id text, n int)');
    await publish(db, 'o', `'o', 'user_id', 'n'`);
    await db.query(`insert into o values (1, 'a', 1), (2, 'a', 2)`);
    await db.query('update o set id = id + 10');
    await db.query(`update o set id = 3, user_id = 'b' where id = 11`);
    t.deepEqual(
      (await eventsOf(db)).slice(2).map(({ user_id, detail }) => [user_id, detail]),
      [
        ['a', { ':id': 11, ':old_id': 1, n: 1, op: 'update' }],
        ['a', { ':id': 12, ':old_id': 2, n: 2, op: 'update' }],
        ['a', { ':id': 11, n: 1, op: 'delete' }],
        ['b', { ':id': 3, n: 1, op: 'update' }],
      ],
    );
  });

  test(`for each ${level}: an empty user is no user, and no user is never everyone`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id int primary key, user_id char(5), n int)');
    await publish(db, 'o', `'o', 'user_id', 'n'`);
    await db.query(`insert into o values (1, '', 1), (2, '   ', 1), (3, null, 1)`);
    await db.query('update o set n = 2');
    await db.query('delete from o where id = 3');
    t.deepEqual(await eventsOf(db), []);
    await db.query(`update o set user_id = 'a' where id = 1`);
    await db.query(`update o set user_id = '' where id = 1`);
    t.deepEqual(
      (await eventsOf(db)).map(({ user_id, detail }) => [user_id, detail.op]),
      [
        ['a', 'update'],
        ['a', 'delete'],
      ],
    );
  });

  test(`for each ${level}: an event too large says which row it is; "refuse" refuses the write`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id text primary key, user_id text, note text)');
    await publish(db, 'o', `'o', 'user_id', 'note'`);
    await db.query(`insert into o values ('k', 'a', repeat('ü', 5000)), (repeat('k', 9000), 'a', '')`);
    await db.query(`update o set id = 'l' where id = 'k'`);
    await db.query(`update o set user_id = 'b' where id = 'l'`);
    t.deepEqual(
      (await eventsOf(db)).map(({ user_id, detail }) => [user_id, detail]),
      [
        ['a', { ':id': 'k', op: 'insert', truncated: true }],
        ['a', { op: 'insert', truncated: true }],
        ['a', { ':id': 'l', ':old_id': 'k', op: 'update', truncated: true }],
        ['a', { ':id': 'l', op: 'delete', truncated: true }],
        ['b', { ':id': 'l', op: 'update', truncated: true }],
      ],
    );

    await db.query('create table p (id int primary key, user_id text, note text)');
    await publish(db, 'p', `'p', 'user_id', 'note', '', 'refuse'`);
    t.is((await refusal(db, `insert into p values (1, 'a', repeat('ü', 5000))`)).code, 'DJR05');
    t.deepEqual(await db.query('select from p'), []);
  });

  test(`for each ${level}: a user whom no login can be does not fail the write, unless "refuse" says so`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id int primary key, user_id text)');
    await publish(db, 'o', `'o', 'user_id', 'id'`);
    const session = await db.connect();
    const warnings: unknown[] = [];
    session.on('notice', ({ message }) => warnings.push(message));
    await session.query(`insert into o values (1, repeat('u', 255)), (2, repeat('u', 256)), (3, 'a')`);
    t.deepEqual(
      (await eventsOf(db)).map(({ detail }) => detail.id),
      [1, 3],
    );
    t.deepEqual(warnings, ['the event "o" of a row is not published']);

    await db.query('create table p (id int primary key, user_id text)');
    await publish(db, 'p', `'p', 'user_id', 'id', '', 'refuse'`);
    t.is((await refusal(db, `insert into p values (2, repeat('u', 256))`)).code, 'DJR03');
  });

  test(`for each ${level}: with storage off the events are sent, and not stored`, async (t) => {
    const db = await createDatabase(t);
    await db.query(`create table o (id int primary key, user_id text); select djr.configure(storage => false)`);
    await publish(db, 'o', `'o', 'user_id', 'id'`);
    const listener = await db.connect();
    const received: string[] = [];
    listener.on('notification', ({ payload }) => received.push(payload!));
    const [row] = await db.query('select djr.channel() as channel');
    await listener.query(`listen "${row!.channel}"`);
    await db.query(`insert into o values (1, 'a'), (2, null), (3, 'b')`);
    await db.query(`update o set user_id = 'c' where id = 1`);
    while (received.length < 4) await listener.query('select 1');
    t.deepEqual(
      received.map((message) => [JSON.parse(message.split('\t')[0]!)[3], JSON.parse(message.split('\t')[1]!)]),
      [
        ['a', { ':id': 1, id: 1, op: 'insert' }],
        ['b', { ':id': 3, id: 3, op: 'insert' }],
        ['a', { ':id': 1, id: 1, op: 'delete' }],
        ['c', { ':id': 1, id: 1, op: 'update' }],
      ],
    );
    t.deepEqual(await eventsOf(db), []);
  });
}

test(':id is a number only where JavaScript can hold it, else a text; two rows never have the same', async (t) => {
  const db = await createDatabase(t);
  for (const [type, value, id] of [
    ['bigint', '9007199254740991', '9007199254740991'],
    ['bigint', '9007199254740992', '"9007199254740992"'],
    ['bigint', '9007199254740993', '"9007199254740993"'],
    ['bigint', '-9007199254740991', '-9007199254740991'],
    ['bigint', '-9007199254740993', '"-9007199254740993"'],
    ['numeric', '123456789012345678901234567890', '"123456789012345678901234567890"'],
    ['numeric(9,2)', '1.50', '"1.50"'],
    ['numeric', '7', '7'],
    ['numeric', `'NaN'`, '"NaN"'],
    ['float8', '0.1', '"0.1"'],
    ['int', '-5', '-5'],
    ['boolean', 'true', 'true'],
    ['uuid', `'0198c0de-0000-7000-8000-000000000000'`, '"0198c0de-0000-7000-8000-000000000000"'],
    ['jsonb', `'{"a": 1}'`, '"{\\"a\\": 1}"'],
    ['int[]', `'{1,2}'`, '"[1, 2]"'],
    ['jsonb', '9007199254740993', '"9007199254740993"'],
  ]) {
    await db.query(`create table o (id ${type} primary key)`);
    await publishRows(db, 'o', `'o', '', ''`);
    await db.query(`insert into o values ((${value!.startsWith("'") ? value : `'${value}'`})::${type})`);
    const [event] = await db.query(`delete from djr.event returning detail::text`);
    t.is(event!.detail, `{"op": "insert", ":id": ${id}}`, `${type} ${value}`);
    await db.query('drop table o');
  }
});

test('a row whose id column is null has no :id, and a key of several columns is none', async (t) => {
  const db = await createDatabase(t);
  await db.query('create table o (a int, b int, c int, primary key (a, b))');
  await publishRows(db, 'o', `'o', '', 'a'`);
  await db.query('insert into o values (1, 2, null)');
  await db.query('drop trigger changed on o');
  await publishRows(db, 'o', `'o', '', 'a', 'c'`);
  await db.query('update o set a = 3');
  await db.query('update o set c = 4');
  t.deepEqual(
    (await eventsOf(db)).map(({ detail }) => detail),
    [
      { a: 1, op: 'insert' },
      { a: 3, op: 'update' },
      { a: 3, op: 'update', ':id': 4 },
    ],
  );
});
