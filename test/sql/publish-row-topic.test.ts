import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { publishRows, publishStatements } from '../helpers/rows.js';
import { listen, refusal } from '../helpers/sql.js';

const said = async (db: TestDatabase) =>
  (await db.query('select scope, topic, user_id, detail from djr.event order by id')).map(
    ({ scope, topic, user_id, detail }) => [
      scope === 'topic' && user_id === null ? topic : `${scope} ${user_id}`,
      (detail as { op: string }).op,
      (detail as { ':id': unknown })[':id'],
    ],
  );

for (const [level, publish] of [
  ['row', publishRows],
  ['statement', publishStatements],
] as const) {
  test(`for each ${level}: a row's events go to the topic that its columns name`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table message (id int primary key, room_id int, text text)');
    await publish(db, 'message', `'message', 'topic:room:{room_id}', 'id,text'`);
    await db.query(`insert into message values (1, 7, 'a'), (2, 8, 'b')`);
    await db.query(`update message set text = 'c' where id = 1`);
    await db.query('delete from message where id = 2');
    t.deepEqual(await said(db), [
      ['room:7', 'insert', 1],
      ['room:8', 'insert', 2],
      ['room:7', 'update', 1],
      ['room:8', 'delete', 2],
    ]);
    t.deepEqual((await db.query('select type, detail from djr.event order by id'))[2], {
      type: 'message',
      detail: { ':id': 1, id: 1, text: 'c', op: 'update' },
    });
  });

  test(`for each ${level}: a row that changes its topic leaves the former one with op delete`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table message (id int primary key, room_id int, text text)');
    await publish(db, 'message', `'message', 'topic:room:{room_id}', 'text'`);
    await db.query(`insert into message values (1, 7, 'a')`);
    await db.query('update message set room_id = 8');
    await db.query('update message set room_id = null');
    await db.query('update message set room_id = 9, id = 2');
    await db.query('update message set id = 3');
    t.deepEqual(await said(db), [
      ['room:7', 'insert', 1],
      ['room:7', 'delete', 1],
      ['room:8', 'update', 1],
      ['room:8', 'delete', 1],
      ['room:9', 'update', 2],
      ['room:9', 'update', 3],
    ]);
    const details = await db.query<{ detail: object }>('select detail from djr.event order by id');
    t.false(':old_id' in details[4]!.detail, 'room 9 never had the row under its old id');
    t.like(details[5]!.detail, { ':old_id': 2 });
  });

  test(`for each ${level}: a null or empty column in the topic publishes nothing, and never to everyone`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id int primary key, tenant text, room char(5), n int)');
    await publish(db, 'o', `'o', 'topic:{tenant}:room:{room}', 'n'`);
    await db.query(
      `insert into o values (1, null, 'a'), (2, 'x', null), (3, '', 'a'), (4, 'x', '  '), (5, null, null)`,
    );
    await db.query('update o set n = 1');
    await db.query('delete from o where id = 1');
    t.deepEqual(await said(db), []);
    await db.query(`update o set tenant = 'y', room = 'b' where id = 5`);
    t.deepEqual(await said(db), [['y:room:b', 'update', 5]]);
  });

  test(`for each ${level}: names in quotes, several columns, one column twice, signs that SQL and format() know, and no column`, async (t) => {
    const db = await createDatabase(t);
    const topics: [template: string, topic: string][] = [
      ['topic:room:{"Room Id"}', 'room:7'],
      ['topic:{ "Room Id" }', '7'],
      [`topic:{"Room Id"}{u}/{"Room Id"}`, '700000000-0000-0000-0000-000000000001/7'],
      ['topic:{"a}""{b"}', 'x'],
      ['topic:100%%s:%1$s:{k}', '100%%s:%1$s:y'],
      [`topic:o''neill\\:{k}`, `o'neill\\:y`],
      ['topic:"{k}"', '"y"'],
      ['  topic:lobby  ', 'lobby'],
      ['topic:topic:{k}', 'topic:y'],
      ['topic:{d}', '2026-01-31'],
      ['topic:{b}', 'true'],
    ];
    for (const [template, topic] of topics) {
      await db.query(
        `create table o (id int primary key, "Room Id" int, u uuid, "a}""{b" text, k varchar, d date, b bool)`,
      );
      await publish(db, 'o', `'o', '${template}', 'id'`);
      await db.query(
        `insert into o values (1, 7, '00000000-0000-0000-0000-000000000001', 'x', 'y', '2026-01-31', true)`,
      );
      t.deepEqual(await said(db), [[topic, 'insert', 1]], template);
      await db.query('drop table o; delete from djr.event');
    }
  });

  test(`for each ${level}: a topic that none can be does not fail the write, unless "refuse" says so`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id int primary key, room text)');
    await publish(db, 'o', `'o', 'topic:r:{room}', 'id'`);
    const session = await db.connect();
    const warnings: string[] = [];
    session.on('notice', ({ message, code }) => warnings.push(`${code} ${message}`));
    await session.query(
      `insert into o values (1, repeat('ü', 253)), (2, repeat('ü', 254)), (3, 'a b'), (4, E'a\\n'), (5, 'c')`,
    );
    t.deepEqual(
      (await said(db)).map(([, , id]) => id),
      [1, 5],
    );
    t.deepEqual(warnings, Array(3).fill('DJR18 the event "o" of a row is not published'));

    await db.query('create table p (id int primary key, room text)');
    await publish(db, 'p', `'p', 'topic:r:{room}', 'id', '', 'refuse'`);
    for (const room of [`repeat('x', 254)`, `'a b'`]) {
      t.is((await refusal(db, `insert into p values (2, ${room})`)).code, 'DJR18');
    }
    t.deepEqual(await db.query('select from p'), []);
  });

  test(`for each ${level}: a large row fits beside the longest topic, or is cut to its id`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id int primary key, room text, note text)');
    await publish(
      db,
      'o',
      `repeat('t', 200), 'topic:{room}', 'note'`.replace(`repeat('t', 200)`, `'${'t'.repeat(200)}'`),
    );
    const room = '"'.repeat(255);
    for (let id = 0; id < 60; id += 1) {
      await db.query(`insert into o values ($1, $2, repeat('x', 7020 + $3))`, [id, room, id * 3]);
    }
    const rows = await db.query<{ cut: boolean }>(`select detail ? 'truncated' as cut from djr.event order by id`);
    t.is(rows.length, 60);
    t.true(rows.some(({ cut }) => cut) && rows.some(({ cut }) => !cut));
  });

  test(`for each ${level}: with storage off a topic's events are sent with their topic`, async (t) => {
    const db = await createDatabase(t);
    await db.query('create table o (id int primary key, room int); select djr.configure(storage => false)');
    await publish(db, 'o', `'o', 'topic:room:{room}', 'id'`);
    const listener = await listen(db);
    await db.query('insert into o values (1, 7), (2, null)');
    await db.query('update o set room = 8 where id = 1');
    t.deepEqual(
      (await listener.messages(3)).map((message) => {
        const header = JSON.parse(message.split('\t')[0]!) as unknown[];
        return [header[2], header[3], header[6]];
      }),
      ['room:7', 'room:7', 'room:8'].map((topic) => ['topic', null, topic]),
    );
  });

  test(`for each ${level}: a topic that the trigger gets wrong is DJR08, and says how it is written`, async (t) => {
    const db = await createDatabase(t);
    const wrong: [argument: string, detail: RegExp][] = [
      ['topic:', /must have 1 to 255 characters/],
      ['topic:room 7', /no white space/],
      ['topic:room {id}', /no white space/],
      [`topic:${'x'.repeat(256)}`, /1 to 255 characters/],
      ['topic:room:{}', /names of columns in braces/],
      ['topic:room:{ }', /names of columns in braces/],
      ['topic:room:{""}', /names of columns in braces/],
      ['topic:room:{id', /names of columns in braces/],
      ['topic:room:id}', /names of columns in braces/],
      ['topic:room:{{id}}', /names of columns in braces/],
      ['topic:{a"b}', /names of columns in braces/],
    ];
    for (const [argument, detail] of wrong) {
      await db.query('create table o (id int primary key)');
      await publish(db, 'o', `'o', '${argument}', 'id'`);
      const error = await refusal(db, 'insert into o values (1)');
      t.is(error.code, 'DJR08', argument);
      t.regex(error.detail!, detail, argument);
      await db.query('drop table o');
    }
    await db.query('create table o (id int primary key)');
    await publish(db, 'o', `'o', 'topic:room:{room_id}', 'id'`);
    t.regex((await refusal(db, 'insert into o values (1)')).message, /has no column "room_id"/);
    t.deepEqual(await said(db), []);
  });
}
