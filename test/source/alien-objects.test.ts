import test from 'ava';
import { migrate, printMigrations } from '../../src/install/migrate.js';
import type { DjrError } from '../../src/lib/errors.js';
import { djr } from '../cli/helpers.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { createRole } from '../helpers/role.js';
import { refusal } from '../helpers/sql.js';

/** What is there of djr, to see that nothing ran. */
const relations = (db: TestDatabase) =>
  db.query(`select relname from pg_class where relnamespace = 'djr'::regnamespace order by 1`);

/** What another role may have put into a schema that it was let into: each says who owns what, or whose it is. */
const ALIENS: Record<string, string> = {
  'a domain': `create domain djr.event_type as text`,
  'an enum': `create type djr.event_scope as enum ('user')`,
  'a table': 'create table djr.settings (channel text)',
  'the table of migrations': 'create table djr.migrations (id serial primary key, name text, run_on timestamp)',
  'a view': 'create view djr.event_status as select 1 as id',
  'a sequence': 'create sequence djr.delivery_mode',
  'a function': `create function djr._validate(text, text, text, jsonb, text, text) returns void language sql as 'select'`,
  'a procedure': `create procedure djr.anything() language sql as 'select'`,
  'an aggregate': 'create aggregate djr.total(int) (sfunc = int4pl, stype = int)',
  'an operator': 'create operator djr.= (leftarg = int, rightarg = text, function = pg_temp.f)',
  'a collation': `create collation djr."C" from "C"`,
  'a text search configuration': 'create text search configuration djr.english (copy = pg_catalog.english)',
};

for (const [what, sql] of Object.entries(ALIENS)) {
  test(`${what} of another role in the schema is refused before anything runs, and says whose it is`, async (t) => {
    const db = await createDatabase(t, { template: null });
    const [owner, other] = [await createRole(t, db, 'owner'), await createRole(t, db, 'other')];
    await db.query(`create schema djr authorization ${owner.role}; grant usage, create on schema djr to ${other.role}`);
    await other.query(
      what === 'an operator'
        ? `create function djr.f(int, text) returns boolean language sql as 'select true'; ${sql.replace('pg_temp.', 'djr.')}`
        : sql,
    );
    const before = await relations(db);
    const error = (await t.throwsAsync(migrate(owner.url))) as DjrError;
    t.is(error.code, 'DJR_MIGRATE');
    t.regex(error.message, new RegExp(`must belong to ${owner.role}.* belongs to ${other.role}`));
    t.regex(error.hint!, /alter … owner to/);
    t.deepEqual(await relations(db), before);
    t.is((await refusal(owner, await printMigrations())).code, 'DJR14');
    t.deepEqual(await relations(db), before);
  });
}

test('a schema of another role is refused, for a superuser too, who would run what is in it with all rights', async (t) => {
  const db = await createDatabase(t, { template: null });
  const [owner, other] = [await createRole(t, db, 'owner'), await createRole(t, db, 'other')];
  await db.query(`create schema djr authorization ${owner.role}; grant all on schema djr to ${other.role}`);
  await owner.query(
    `create function djr.channel() returns text language plpgsql as $$ begin raise exception 'ran as %', current_user; end $$`,
  );
  for (const url of [db.url, other.url]) {
    const error = (await t.throwsAsync(migrate(url))) as DjrError;
    t.regex(error.message, new RegExp(`schema djr must belong to .*\\(it belongs to ${owner.role}\\)`));
    t.regex(error.hint!, new RegExp(`Install as ${owner.role}; .*alter schema djr owner to`));
  }
  const { code, err } = await djr(t, ['migrate', '-d', other.url]);
  t.is(code, 1);
  t.regex(err, /^error: Nothing was changed: the schema djr must belong to/);
  t.notRegex(err, /\n +at |cannot be reached/);
});

test('who is a member of the role that owns the schema installs, and who owns it does', async (t) => {
  const db = await createDatabase(t, { template: null });
  const group = await createRole(t, db, 'group_of');
  const member = await createRole(t, db, 'member', `in role ${group.role}`);
  await db.query(`create schema djr authorization ${group.role}`);
  t.true((await migrate(member.url)).length > 0);
  t.deepEqual(await migrate(member.url), []);
});

test('a trigger of another role on a table of djr is refused', async (t) => {
  const db = await createDatabase(t, { template: null });
  const [owner, other] = [await createRole(t, db, 'owner'), await createRole(t, db, 'other')];
  await db.query(`create schema djr authorization ${owner.role}; create schema own authorization ${other.role}`);
  await migrate(owner.url);
  await owner.query(`grant usage on schema djr to ${other.role}; grant trigger on djr.event to ${other.role}`);
  await other.query(`create function own.f() returns trigger language plpgsql as 'begin return null; end';
    create trigger spy after insert on djr.event for each row execute function own.f()`);
  const error = (await t.throwsAsync(migrate(owner.url))) as DjrError;
  t.regex(error.message, new RegExp(`trigger spy on table djr.event belongs to ${other.role}`));
});

test('an extension in the schema is refused', async (t) => {
  const db = await createDatabase(t, { template: null });
  await db.query('create schema djr');
  const [found] = await db.query(
    `select name from pg_available_extensions where name in ('citext', 'pg_trgm', 'btree_gin')`,
  );
  await db.query(`create extension ${found!.name} schema djr`);
  const error = (await t.throwsAsync(migrate(db.url))) as DjrError;
  t.regex(error.message, new RegExp(`belongs to the extension ${found!.name}`));
});

test('a role that owns nothing is told who does, also where everything is up to date', async (t) => {
  const db = await createDatabase(t);
  const other = await createRole(t, db, 'other', 'createrole');
  await db.query('select djr.grant_server($1)', [other.role]);
  const { code, err } = await djr(t, ['migrate', '-d', other.url]);
  t.is(code, 1);
  t.regex(err, /must belong to other_.*it belongs to postgres/);
});
