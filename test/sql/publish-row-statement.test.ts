import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { eventsOf, publishRows, publishStatements } from '../helpers/rows.js';
import { listen, refusal } from '../helpers/sql.js';

const said = async (db: TestDatabase) =>
  (await eventsOf(db)).map(({ user_id, detail }) => `${user_id} ${detail.op} ${detail[':id']} ${detail.n}`);

test('a statement of many rows publishes them in the order of the rows, in few messages', async (t) => {
  const db = await createDatabase(t);
  await db.query('create table o (id int primary key, user_id int, n int)');
  await publishStatements(db, 'o', `'o', 'user_id', 'n'`);
  await db.query('insert into o select n, n % 3, 1 from generate_series(1, 2000) n');
  const listener = await listen(db);
  await db.query('update o set n = 2 where id <= 1000');
  await db.query('update o set n = n');
  await db.query(`select pg_notify(djr.channel(), 'end')`);
  while (listener.received.at(-1) !== 'end') await listener.messages(listener.received.length + 1);
  t.true(listener.received.length < 30, `${listener.received.length}`);
  await db.query('delete from o where id > 1998');
  const events = await said(db);
  t.is(events.length, 3002);
  t.deepEqual(
    events.slice(0, 3000),
    [...Array(2000).keys()]
      .map((n) => `${(n + 1) % 3} insert ${n + 1} 1`)
      .concat([...Array(1000).keys()].map((n) => `${(n + 1) % 3} update ${n + 1} 2`)),
  );
  t.deepEqual(events.slice(3000), ['1 delete 1999 1', '2 delete 2000 1']);
});

test('row and statement triggers say the same, in MERGE-like writes, ON CONFLICT and statements that touch no row', async (t) => {
  const db = await createDatabase(t);
  const [{ version }] = (await db.query(`select current_setting('server_version_num')::int as version`)) as [
    { version: number },
  ];
  for (const publish of [publishRows, publishStatements]) {
    await db.query('create table o (id int primary key, user_id int, n int)');
    await publish(db, 'o', `'o', 'user_id', 'n'`);
    await db.query('insert into o values (1, 7, 1), (2, 7, 1)');
    await db.query('insert into o values (2, 8, 2), (3, 8, 2) on conflict (id) do update set n = excluded.n');
    await db.query('insert into o values (3, 9, 3) on conflict do nothing');
    await db.query('update o set n = 9 where id > 99');
    await db.query('delete from o where id > 99');
    if (version >= 150000) {
      await db.query(`merge into o using (values (1, 5), (4, 5)) s (id, n) on o.id = s.id
        when matched then delete when not matched then insert values (s.id, 6, s.n)`);
    }
    const events = await said(db);
    t.deepEqual(
      events.sort(),
      [
        '7 insert 1 1',
        '7 insert 2 1',
        '7 update 2 2',
        '8 insert 3 2',
        ...(version >= 150000 ? ['6 insert 4 5', '7 delete 1 1'] : []),
      ].sort(),
    );
    await db.query('drop table o; delete from djr.event');
  }
});

test('a partitioned table: rows say it from their partition, statements of the whole table, also where rows move', async (t) => {
  const db = await createDatabase(t);
  const make = `create table o (id int, user_id int, n int, primary key (id, n)) partition by list (n);
    create table o1 partition of o for values in (1); create table o2 partition of o for values in (2)`;
  await db.query(make);
  await publishStatements(db, 'o', `'o', 'user_id', 'n', 'id'`);
  await db.query('insert into o values (1, 7, 1), (2, 7, 2), (3, 7, 1)');
  await db.query('update o set n = 3 - n, id = id + 10');
  t.deepEqual(await said(db), [
    ...['7 insert 1 1', '7 insert 2 2', '7 insert 3 1', '7 update 11 2', '7 update 13 2', '7 update 12 1'],
  ]);
  t.deepEqual(
    (await eventsOf(db)).slice(3).map(({ detail }) => detail[':old_id']),
    [1, 3, 2],
  );

  await db.query(`drop table o; delete from djr.event; ${make}`);
  await publishRows(db, 'o', `'o', 'user_id', 'n', 'id'`);
  await db.query('insert into o values (1, 7, 1)');
  // A row that moves is deleted there and inserted here: so PostgreSQL fires row triggers.
  await db.query('update o set n = 2');
  t.deepEqual(await said(db), ['7 insert 1 1', '7 delete 1 1', '7 insert 1 2']);
});

test('where a trigger refuses a row that was to move, the other rows are matched by their ids', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table o (id int, user_id int, n int) partition by list (n);
    create table o1 partition of o for values in (1); create table o2 partition of o for values in (2);
    create function no() returns trigger language plpgsql as 'begin if new.id = 1 then return null; end if; return new; end';
    create trigger no before insert on o2 for each row execute function no()`);
  await publishStatements(db, 'o', `'o', 'user_id', 'n', 'id'`);
  await db.query('insert into o values (1, 7, 1), (2, 7, 1), (3, 8, 1)');
  await db.query('update o set n = 2');
  t.deepEqual((await said(db)).slice(3).sort(), ['7 delete 1 1', '7 update 2 2', '8 update 3 2']);
});

test("statements of a parent have its children's rows, and names of tables that are our own words are the app's to take", async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table o (id int, user_id int, n int); create table child (more text) inherits (o)`);
  await db.query(`create trigger updated after update on o referencing old table as settings new table as _row
    for each statement execute function djr.publish_row('o', 'user_id', 'n', 'id')`);
  await db.query(`insert into o values (1, 7, 1); insert into child values (2, 8, 1, 'x')`);
  await db.query('update o set n = 2');
  t.deepEqual(await said(db), ['7 update 1 2', '8 update 2 2']);
});

test('a table with hundreds of columns, one of them called as our own names are, and one with a percent sign', async (t) => {
  const db = await createDatabase(t);
  const names = [...Array(120).keys()].map((n) => `c${n}`);
  await db.query(
    `create table o (_row int, event int, "100%1$s" int, ${names.map((name) => `${name} int`).join(', ')})`,
  );
  for (const publish of [publishRows, publishStatements]) {
    await publish(db, 'o', `'o', 'event', '_row,100%1$s,${names.join(',')}', '_row'`);
    await db.query('insert into o (_row, event, "100%1$s", c0, c119) values (1, 7, 3, 4, 5)');
    t.like((await eventsOf(db)).pop(), {
      user_id: '7',
      detail: { ':id': 1, _row: 1, '100%1$s': 3, c0: 4, c118: null, c119: 5 },
    });
    for (const name of ['changed', 'inserted', 'updated', 'deleted'])
      await db.query(`drop trigger if exists ${name} on o`);
  }
});

test('one write that is refused stores nothing of its statement', async (t) => {
  const db = await createDatabase(t);
  await db.query('create table o (id int primary key, note text)');
  await publishStatements(db, 'o', `'o', '', 'note', '', 'refuse'`);
  const error = await refusal(
    db,
    `insert into o select n, case n when 500 then repeat('x', 9000) end from generate_series(1, 1000) n`,
  );
  t.is(error.code, 'DJR05');
  t.deepEqual(await eventsOf(db), []);
  t.deepEqual(await db.query('select from o'), []);
});
