import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { eventsOf, publishRows } from '../helpers/rows.js';
import { refusal } from '../helpers/sql.js';

const TABLE = `create table o (id int primary key, user_id int, n int, op text, "Mixed, ""Case""" int)`;

const refused: [what: string, trigger: string, write: string, detail: RegExp][] = [
  [
    'BEFORE',
    `before insert on o for each row execute function djr.publish_row('o', '', 'n')`,
    'insert into o values (1)',
    /It is before insert for each row/,
  ],
  [
    'INSTEAD OF',
    `instead of insert on v for each row execute function djr.publish_row('o', '', 'n')`,
    'insert into v values (1)',
    /It is instead of insert/,
  ],
  [
    'TRUNCATE',
    `after truncate on o for each statement execute function djr.publish_row('o', '', 'n')`,
    'truncate o',
    /It is after truncate for each statement/,
  ],
  [
    'a statement trigger without its rows',
    `after insert on o for each statement execute function djr.publish_row('o', '', 'n')`,
    'insert into o values (1)',
    /without referencing new table,/,
  ],
  [
    'a statement trigger on UPDATE with the new rows only',
    `after update on o referencing new table as n for each statement execute function djr.publish_row('o', '', 'n')`,
    'update o set n = 1',
    /without referencing old table and new table,/,
  ],
  [
    'two arguments',
    `after insert on o for each row execute function djr.publish_row('o', '')`,
    'insert into o values (1)',
    /with 2 arguments/,
  ],
  [
    'six arguments',
    `after insert on o for each row execute function djr.publish_row('o', '', 'n', '', '', '')`,
    'insert into o values (1)',
    /with 6 arguments/,
  ],
  [
    'an unknown fifth argument',
    `after insert on o for each row execute function djr.publish_row('o', '', 'n', '', 'drop')`,
    'insert into o values (1)',
    /must be truncate or refuse; it is "drop"/,
  ],
  [
    'a column that would be hidden by the op of the event',
    `after insert on o for each row execute function djr.publish_row('o', '', 'n,op')`,
    'insert into o values (1)',
    /column op/,
  ],
];
for (const [what, trigger, write, detail] of refused) {
  test(`${what} is refused when the trigger first fires, with what it is and how it has to be declared`, async (t) => {
    const db = await createDatabase(t);
    await db.query(`${TABLE}; create view v as select * from o; create trigger changed ${trigger}`);
    const error = await refusal(db, write);
    t.is(error.code, 'DJR08');
    t.regex(error.message, /^trigger changed on public\.[ov] does not fit djr\.publish_row$/);
    t.regex(error.detail!, detail);
    t.regex(error.hint!, /for each row execute function djr\.publish_row.*for each statement/);
  });
}

test('a bad type is refused when the trigger first fires, also for a row without a user', async (t) => {
  const db = await createDatabase(t);
  await db.query(TABLE);
  await publishRows(db, 'o', `'order changed', 'user_id', 'n'`);
  t.is((await refusal(db, 'insert into o values (1)')).code, 'DJR01');
});

for (const args of [`'o', 'nobody', 'n'`, `'o', '', 'n, nobody'`, `'o', '', 'n', 'nobody'`, `'o', '', '"n'`]) {
  test(`a column that is not there is refused by its name: ${args}`, async (t) => {
    const db = await createDatabase(t);
    await db.query(TABLE);
    await publishRows(db, 'o', args);
    const error = await refusal(db, 'insert into o values (1)');
    t.is(error.code, 'DJR08');
    t.regex(error.message, /^table public\.o has no column "(nobody|\\"n)"$/);
  });
}

test('columns have the names that the table has, capitals and all; in double quotes, commas and quotes, too', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create table o (" id" int, "userId" text, "a,b" int, "c""d" int, "e ""f""" int, "g" int)`);
  await publishRows(db, 'o', `'o', '"userId"', '"a,b" , c"d,"e ""f""",g,,', '" id"'`);
  await db.query(`insert into o values (1, 'u', 2, 3, 4, 5)`);
  await db.query(`drop trigger changed on o`);
  await publishRows(db, 'o', `'o', ' userId ', ' g , c"d '`);
  await db.query(`insert into o values (1, 'u', 2, 3, 4, 5)`);
  t.deepEqual(
    (await eventsOf(db)).map(({ user_id, detail }) => [user_id, detail]),
    [
      ['u', { ':id': 1, 'a,b': 2, 'c"d': 3, 'e "f"': 4, g: 5, op: 'insert' }],
      ['u', { g: 5, 'c"d': 3, op: 'insert' }],
    ],
  );
});

test('conditions, columns of an update and deferred constraints decide when the trigger fires', async (t) => {
  const db = await createDatabase(t);
  await db.query(`${TABLE};
    create trigger paid after update of n on o for each row when (new.n > 5) execute function djr.publish_row('paid', '', 'n');
    create constraint trigger late after insert on o deferrable initially deferred
      for each row execute function djr.publish_row('late', '', 'n')`);
  await db.query('insert into o values (1, 1, 1)');
  await db.query('update o set n = 3');
  await db.query('update o set user_id = 3');
  await db.query('update o set n = 6');
  t.deepEqual(
    (await eventsOf(db)).map(({ type, detail }) => [type, detail.n]),
    [
      ['late', 1],
      ['paid', 6],
    ],
  );
});

test('stored generated columns are sent; virtual ones, of PostgreSQL 18, are refused by name', async (t) => {
  const db = await createDatabase(t);
  await db.query('create table o (id int primary key, n int, twice int generated always as (n * 2) stored)');
  await publishRows(db, 'o', `'o', '', 'twice'`);
  await db.query('insert into o values (1, 2)');
  t.is((await eventsOf(db))[0]!.detail.twice, 4);
  const [row] = await db.query(`select current_setting('server_version_num')::int >= 180000 as has_virtual`);
  for (const args of row!.has_virtual ? [`'o', '', 'id,twice'`, `'o', 'twice', 'id'`, `'o', '', 'id', 'twice'`] : []) {
    await db.query('drop table o');
    await db.query('create table o (id int, n int, twice int generated always as (n * 2))');
    await publishRows(db, 'o', args);
    const error = await refusal(db, 'insert into o values (1, 2)');
    t.is(error.code, 'DJR08');
    t.is(error.message, 'column "twice" of table public.o is a virtual generated column');
  }
});
