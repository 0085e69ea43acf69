import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { diagnose } from '../../src/doctor/diagnosis.js';
import { createRealtime, DjrError } from '../../src/index.js';
import { migrate, printMigrations } from '../../src/install/migrate.js';
import { MIGRATIONS } from '../../src/install/migration-files.js';
import { asTransaction } from '../../src/install/printed-migrations.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startApp } from '../helpers/server.js';

const migrations = MIGRATIONS.map(({ name }) => name);

/** What `pg_dump -s` leaves of a database: every object, no row, every sequence at its start. */
async function schemaOnly(db: TestDatabase): Promise<void> {
  await db.query(`truncate djr.settings, djr.migrations, djr.event, djr.activity, djr.instance restart identity;
    delete from djr.settings; alter sequence djr.delivery_mode restart`);
}

for (const [what, publish] of [
  ['publish', `select djr.publish('1', 't') as id`],
  ['publish_many', `select djr.publish_many('[{"user_id": 1, "type": "t"}]') as id`],
  ['a publish under a key', `select djr.publish('1', 't', key => 'k') as id`],
  ['a plain INSERT', `insert into djr.event (scope, type) values ('public', 't') returning id`],
  ['configure', `select djr.configure(activity => 'full')`],
  ['channel', 'select djr.channel()'],
  ['a DELETE', `insert into djr.event (scope, type) values ('public', 't'); delete from djr.event`],
] as const) {
  test(`Where the row of the settings is missing, ${what} puts it back`, async (t) => {
    const db = await createDatabase(t);
    await db.query('delete from djr.settings');
    await db.query(publish);
    const [row] = await db.query<{ channel: string; storage: boolean }>('select channel, storage from djr.settings');
    t.regex(row!.channel, /^djr_[0-9a-f]{32}$/);
    t.true(row!.storage);
  });
}

test('A role that may only publish heals the settings as well', async (t) => {
  const db = await createDatabase(t);
  const role = `publisher_${db.name}`;
  await db.query(`create role ${role}; select djr.grant_publish('${role}'); delete from djr.settings`);
  t.teardown(() => db.query(`drop owned by ${role}; drop role ${role}`));
  const client = await db.connect();
  await client.query(`set role ${role}`);
  await client.query(`select djr.publish('1', 't')`);
  t.is((await db.query('select from djr.event, djr.settings')).length, 1);
});

test('After a restore of the schema alone serving says what to run, doctor names it, and migrate heals it', async (t) => {
  const [db, fresh] = [await createDatabase(t), await createDatabase(t)];
  await schemaOnly(db);
  const realtime = createRealtime({ database: db.url });
  t.teardown(() => realtime.stop());
  const error = await t.throwsAsync(realtime.start(), { instanceOf: DjrError, code: 'DJR_SCHEMA' });
  t.regex(`${error.message} ${error.detail} ${error.hint}`, /schema djr is there.*structure\.sql.*djr migrate/);

  const client = await db.connect();
  for await (const { check, found, state } of diagnose(client, () => db.connect())) {
    if (check === 'schema') t.is(state, 'failed');
    t.notRegex(found, /undefined|cannot read|TypeError|destructure/i, check);
  }

  t.deepEqual(await migrate(db.url), migrations.slice(-1));
  t.deepEqual(await migrate(db.url), []);
  t.deepEqual(
    (await db.query('select name from djr.migrations order by id')).map(({ name }) => name),
    migrations,
  );
  t.is(await dumpSchema(client), await dumpSchema(await fresh.connect()));
  await realtime.start();
  t.is(await realtime.publish({ scope: 'public', type: 't' }), 1);
});

test('The schema of the first release, restored without rows, is brought up to date', async (t) => {
  const [db, fresh] = [await createDatabase(t, { template: null }), await createDatabase(t)];
  const [first] = MIGRATIONS;
  await db.query(`create schema djr; ${first!.sql}`);
  await db.query('delete from djr.settings');
  await migrate(db.url);
  t.is(await dumpSchema(await db.connect()), await dumpSchema(await fresh.connect()));
  await db.query(`select djr.publish('1', 't')`);
});

test('A runtime from which the row of the settings is taken makes it again, and goes on', async (t) => {
  const app = await startApp(t, { sweepInterval: 50 });
  const stream = await app.streamOf('ada');
  await app.db.query('delete from djr.settings');
  await app.db.query("insert into djr.event (scope, user_id, type) values ('user', 'ada', 'after')");
  await stream.event('after');
  t.is((await app.db.query('select from djr.settings')).length, 1);
});

const psql = promisify(execFile);

test('The printed SQL is one transaction, runs twice, and from a migration on brings what an upgrade adds', async (t) => {
  const [db, fresh] = [await createDatabase(t, { template: null }), await createDatabase(t)];
  const client = await db.connect();
  const [all, rest] = [asTransaction(await printMigrations()), asTransaction(await printMigrations('000001'))];
  t.regex(all, /^begin;\n[\s\S]*\ncommit;\n$/);
  t.false(rest.includes(`('${migrations[0]}')`));
  await client.query(all);
  await client.query(all);
  await client.query(rest);
  t.is(await dumpSchema(client), await dumpSchema(await fresh.connect()));
  t.deepEqual(
    (await db.query('select name from djr.migrations order by id')).map(({ name }) => name),
    migrations,
  );
  t.deepEqual(await migrate(db.url), []);

  const upgraded = await createDatabase(t, { template: null });
  const [first] = MIGRATIONS;
  const old = await upgraded.connect();
  await old.query(`create schema djr; create table djr.migrations (id serial primary key, name varchar(255) not null,
    run_on timestamp not null); ${first!.sql}; insert into djr.migrations (name, run_on) values ('${first!.name}', now())`);
  await old.query(rest);
  t.deepEqual(await migrate(upgraded.url), []);
  t.is(await dumpSchema(old), await dumpSchema(client));
});

test('psql runs the printed SQL whatever its encoding, and an unknown migration is named with those there are', async (t) => {
  const db = await createDatabase(t, { template: null });
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'djr.sql');
  await writeFile(file, asTransaction(await printMigrations()));
  await psql('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', db.url, '-f', file], {
    env: { ...process.env, PGCLIENTENCODING: 'LATIN1' },
  });
  t.deepEqual(await migrate(db.url), []);
  const error = await t.throwsAsync(printMigrations('000099'), { instanceOf: DjrError });
  t.regex(error.hint!, new RegExp(migrations.join(', ')));
  t.is(await printMigrations(migrations.at(-1)), '');
});

for (const encoding of ['LATIN1', 'LATIN9', 'KOI8R', 'SQL_ASCII', 'EUC_JP']) {
  test(`A database of encoding ${encoding} is refused with the reason, and nothing is made in it`, async (t) => {
    const server = await createDatabase(t, { template: null });
    const name = `${server.name}_e`;
    await server.query(`create database ${name} encoding '${encoding}' locale 'C' template template0`);
    t.teardown(() => server.query(`drop database ${name} with (force)`));
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    for (const dryRun of [true, false]) {
      const error = await t.throwsAsync(migrate(url.href, { dryRun }), { instanceOf: DjrError, code: 'DJR_MIGRATE' });
      t.regex(error.message, new RegExp(`encoding of the database must be UTF8 \\(it is ${encoding}\\)`));
    }
    const client = await server.connect({ connectionString: url.href });
    await t.throwsAsync(client.query(asTransaction(await printMigrations())), { message: /UTF8/ });
    await client.query('rollback');
    t.is((await client.query(`select to_regnamespace('djr') as djr`)).rows[0].djr, null);
  });
}
