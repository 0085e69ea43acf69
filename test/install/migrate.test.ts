import test from 'ava';
import pg from 'pg';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { migrate, printMigrations, uninstall } from '../../src/install/migrate.js';
import { schemaVersion } from '../../src/install/schema-version.js';
import { DjrError } from '../../src/lib/errors.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';

/** All that is in the database outside schema djr. */
const outside = async (db: TestDatabase) =>
  db.query(`
    select 'relation' as kind, oid::regclass::text as name from pg_class where relnamespace not in (coalesce(to_regnamespace('djr'), 0), 'pg_toast'::regnamespace)
    union all select 'function', oid::regprocedure::text from pg_proc where pronamespace <> coalesce(to_regnamespace('djr'), 0)
    union all select 'type', oid::regtype::text from pg_type where typnamespace not in (coalesce(to_regnamespace('djr'), 0), 'pg_toast'::regnamespace)
    union all select 'schema', nspname from pg_namespace where nspname <> 'djr'
    union all select 'role', rolname from pg_roles where rolname !~ '_djr_|_[0-9a-f]{12}$'
    union all select 'extension', extname from pg_extension
    union all select 'event trigger', evtname from pg_event_trigger
    order by 1, 2`);

async function appDatabase(t: Parameters<typeof createDatabase>[0]): Promise<TestDatabase> {
  const db = await createDatabase(t, { template: null });
  await db.query(`create schema shop; create table shop.orders (id int primary key);
    create table public.pgmigrations (id serial primary key, name text, run_on timestamp);
    create table public.migrations (id int)`);
  return db;
}

const locks = (db: TestDatabase) =>
  db.query(
    `select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
  );

test('migrate installs djr beside what is there, touches nothing of it, and a second time does nothing', async (t) => {
  const db = await appDatabase(t);
  const before = await outside(db);
  const applied = await migrate(db.url);
  t.true(applied.length > 0);
  t.deepEqual(await migrate(db.url), []);
  t.deepEqual(await outside(db), before);
  const client = await db.connect();
  const { installed, expected } = await schemaVersion(client);
  t.is(installed, expected);
});

test('uninstall leaves the database as it was', async (t) => {
  const db = await appDatabase(t);
  const before = await outside(db);
  await migrate(db.url);
  await db.query(`select djr.publish('1', 't')`);
  await uninstall(db.url);
  t.deepEqual(await outside(db), before);
  t.is((await db.query(`select to_regnamespace('djr') as schema`))[0]!.schema, null);
  await t.notThrowsAsync(uninstall(db.url));
});

test('twenty installs at once are one', async (t) => {
  const db = await appDatabase(t);
  const results = await Promise.all(Array.from({ length: 20 }, () => migrate(db.url)));
  t.is(results.filter((applied) => applied.length > 0).length, 1);
  await db.query(`select djr.publish('1', 't')`);
  t.deepEqual(await locks(db), []);
});

test('a migration that fails leaves nothing half done and no lock', async (t) => {
  const db = await appDatabase(t);
  // Makes the installation fail near its end, where the privileges are set.
  await db.query(`create function stop() returns event_trigger language plpgsql as $$ begin
      if exists (select from pg_event_trigger_ddl_commands() where object_identity like 'djr.grant_server%') then
        raise exception 'stopped';
      end if;
    end $$;
    create event trigger stop on ddl_command_end execute function stop()`);
  const error = await t.throwsAsync(migrate(db.url), { instanceOf: DjrError });
  t.is(error!.code, 'DJR_MIGRATE');
  t.is((await db.query(`select to_regnamespace('djr') as schema`))[0]!.schema, null);
  t.deepEqual(await locks(db), []);
  await db.query('drop event trigger stop');
  t.true((await migrate(db.url)).length > 0);
});

test('the printed SQL makes the same schema, and djr migrate then has nothing to do', async (t) => {
  const [printed, migrated] = [await appDatabase(t), await appDatabase(t)];
  const client = await printed.connect();
  await client.query(await printMigrations());
  await migrate(migrated.url);
  t.is(await dumpSchema(client), await dumpSchema(await migrated.connect()));
  t.deepEqual(await migrate(printed.url), []);
});

test('a dry run says what it would do and does not', async (t) => {
  const db = await appDatabase(t);
  const lines: string[] = [];
  const names = await migrate(db.url, { dryRun: true, log: (line) => lines.push(line) });
  t.true(names.length > 0);
  t.regex(lines.join('\n'), /create table if not exists djr\.event/);
  t.is((await db.query(`select to_regnamespace('djr') as schema`))[0]!.schema, null);
  await migrate(db.url);
  t.deepEqual(await migrate(db.url, { dryRun: true }), []);
});

test('an ordinary role that may create in the database installs djr; one that may not is told what to grant', async (t) => {
  const db = await appDatabase(t);
  const role = `installer_${db.name}`;
  await db.query(`create role ${role} login password 'secret'`);
  t.teardown(() => db.query(`drop owned by ${role} cascade; drop role ${role}`));
  const url = new URL(db.url);
  url.username = role;
  url.password = 'secret';
  const error = await t.throwsAsync(migrate(url.href), { instanceOf: DjrError });
  t.is(error!.code, 'DJR_MIGRATE');
  t.regex(error!.hint!, /grant create on database/);

  await db.query(`create schema djr authorization ${role}`);
  t.true((await migrate(url.href)).length > 0);
  const owner = new pg.Client(url.href);
  await owner.connect();
  t.teardown(() => owner.end());
  await owner.query(`select djr.publish('1', 't'), djr.epoch(), djr.configure(activity => 'off')`);
});

test('a database that cannot be reached is an error that says so', async (t) => {
  const error = await t.throwsAsync(migrate('postgres://nobody@127.0.0.1:1/none'), { instanceOf: DjrError });
  t.is(error!.code, 'DJR_DATABASE');
  t.regex(error!.message, /ECONNREFUSED/);
});
