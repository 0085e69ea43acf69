import test from 'ava';
import { migrate, printMigrations } from '../../src/install/migrate.js';
import { MIGRATIONS } from '../../src/install/migration-files.js';
import { djr } from '../cli/helpers.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { createRole } from '../helpers/role.js';
import { refusal } from '../helpers/sql.js';

/** What others than the owner may do with an object of djr, of those who are no role of another test. */
const privileges = async (db: TestDatabase, role: string | null) =>
  (
    await db.query<{ entry: string }>(
      `with grantee as (select case when $1::text is null then 0 else (select oid from pg_roles where rolname = $1) end as oid)
       select kind || ' ' || name || ' ' || privilege as entry from (
         select 'schema' as kind, nspname::text as name, a.grantee, a.privilege_type as privilege
         from pg_namespace, aclexplode(nspacl) a where nspname = 'djr'
         union all
         select 'relation', relname, a.grantee, a.privilege_type
         from pg_class, aclexplode(relacl) a where relnamespace = 'djr'::regnamespace
         union all
         select 'column', relname || '.' || attname, a.grantee, a.privilege_type
         from pg_class join pg_attribute on attrelid = pg_class.oid, aclexplode(attacl) a where relnamespace = 'djr'::regnamespace
         union all
         select 'function', pg_proc.oid::regprocedure::text, a.grantee, a.privilege_type
         from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) a where pronamespace = 'djr'::regnamespace
         union all
         select 'type', typname, a.grantee, a.privilege_type
         from pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner))) a
         where typnamespace = 'djr'::regnamespace and typtype = 'd'
       ) held join grantee on grantee.oid = held.grantee order by 1`,
      [role],
    )
  ).map(({ entry }) => entry);

/** The database as one of the older versions left it. */
async function installUpTo(db: TestDatabase, version: '000001' | '000002'): Promise<void> {
  const sql = await printMigrations();
  const name = version === '000001' ? '000001-install' : '000002';
  // As that version printed it: without what now comes before the migrations and behind them.
  const start = sql.indexOf('create table if not exists djr.migrations');
  const end = sql.indexOf(';', sql.indexOf(`values ('${name}'`)) + 1;
  await db.query(`create schema djr; ${sql.slice(start, end)}`);
}

const DEFAULTS = ['functions', 'tables', 'sequences', 'schemas', 'types'];

async function grantByDefault(db: TestDatabase, role: string, of = ''): Promise<void> {
  for (const kind of DEFAULTS) {
    if (of && kind === 'schemas') continue;
    await db.query(`alter default privileges ${of} grant all on ${kind} to ${role}`);
  }
}

for (const role of ['webanon', 'public']) {
  test(`an installation gives ${role} nothing, whatever default privileges say`, async (t) => {
    const db = await createDatabase(t, { template: null });
    const name = role === 'public' ? 'public' : (await createRole(t, db, role)).role;
    await grantByDefault(db, name);
    await migrate(db.url);
    t.deepEqual(await privileges(db, role === 'public' ? null : name), []);
  });

  for (const version of ['000001', '000002'] as const) {
    test(`an upgrade from ${version} gives ${role} nothing, whatever default privileges said before it and in its schema`, async (t) => {
      const db = await createDatabase(t, { template: null });
      const name = role === 'public' ? 'public' : (await createRole(t, db, role)).role;
      await grantByDefault(db, name);
      await installUpTo(db, version);
      await grantByDefault(db, name, 'in schema djr');
      await migrate(db.url);
      t.deepEqual(await privileges(db, role === 'public' ? null : name), []);
    });

    test(`a grant to ${role} on everything in the schema does not outlive an upgrade from ${version}`, async (t) => {
      const db = await createDatabase(t, { template: null });
      const name = role === 'public' ? 'public' : (await createRole(t, db, role)).role;
      await installUpTo(db, version);
      await db.query(`grant usage on schema djr to ${name}; grant execute on all functions in schema djr to ${name};
        grant all on all tables in schema djr to ${name}; grant all on all sequences in schema djr to ${name}`);
      const lines: string[] = [];
      await migrate(db.url, { log: (line) => lines.push(line) });
      t.deepEqual(await privileges(db, role === 'public' ? null : name), []);
      t.true(
        lines.some((line) => line.includes(name) && /djr\.grant_server/.test(line)),
        lines.join('\n'),
      );
    });
  }
}

for (const version of ['000001', '000002'] as const) {
  test(`who was granted before an upgrade from ${version} has exactly what a new grant gives`, async (t) => {
    const db = await createDatabase(t, { template: null });
    await installUpTo(db, version);
    const [publisher, server, fresh] = [
      await createRole(t, db, 'publisher'),
      await createRole(t, db, 'server'),
      await createRole(t, db, 'fresh'),
    ];
    await db.query('select djr.grant_publish($1), djr.grant_server($2)', [publisher.role, server.role]);
    // Tables of everybody are often the app's to read.
    await db.query(`alter default privileges grant select on tables to ${publisher.role}`);
    await migrate(db.url);
    t.deepEqual(await db.query('select role, capability from djr.grantee order by capability'), [
      { role: publisher.role, capability: 'publish' },
      { role: server.role, capability: 'server' },
    ]);
    await db.query('select djr.grant_publish($1)', [fresh.role]);
    t.deepEqual(await privileges(db, publisher.role), await privileges(db, fresh.role));
    await db.query('select djr.revoke_publish($1)', [fresh.role]);
    t.deepEqual(await privileges(db, fresh.role), []);
    await db.query('select djr.grant_server($1)', [fresh.role]);
    t.deepEqual(await privileges(db, server.role), await privileges(db, fresh.role));
  });
}

test('a role that was granted both keeps one when the other is revoked', async (t) => {
  const db = await createDatabase(t);
  const [both, server] = [await createRole(t, db, 'Both "x"'), await createRole(t, db, 'server')];
  await db.query('select djr.grant_publish($1), djr.grant_server($1), djr.grant_server($2)', [both.role, server.role]);
  await db.query('select djr.revoke_publish($1)', [both.role]);
  t.deepEqual(await privileges(db, both.role), await privileges(db, server.role));
  t.is((await refusal(both, `select djr.publish('1', 't')`)).code, '42501');
  await both.query('select djr.channel()');
});

test('grants follow a role that is renamed, and not another that gets its name', async (t) => {
  const db = await createDatabase(t);
  const role = await createRole(t, db, 'before');
  await db.query('select djr.grant_publish($1)', [role.role]);
  const renamed = `renamed_${db.name}`;
  await db.query(`alter role ${role.role} rename to ${renamed}; create role ${role.role}`);
  t.teardown(() => db.query(`drop owned by ${renamed}; drop role ${renamed}`));
  await db.query('delete from djr.migrations where name > $1', ['000002']);
  await migrate(db.url);
  t.deepEqual(await db.query('select role from djr.grantee'), [{ role: renamed }]);
  t.deepEqual(await privileges(db, role.role), []);
});

test('a publisher can do what an upgrade brings, and a right that somebody gave it besides is gone', async (t) => {
  const db = await createDatabase(t);
  const role = await createRole(t, db, 'publisher');
  await db.query('select djr.grant_publish($1)', [role.role]);
  const before = await privileges(db, role.role);
  await db.query(`grant select, delete on djr.event to ${role.role} with grant option;
    grant create on schema djr to ${role.role}; revoke execute on function djr.publish_many from ${role.role}`);
  await db.query('delete from djr.migrations where name > $1', ['000002']);
  await migrate(db.url);
  t.deepEqual(await privileges(db, role.role), before);
});

for (const [call, code, message] of [
  [`djr.grant_publish('public')`, 'DJR13', /must be one role, unless everyone => true/],
  [`djr.grant_publish('public', everyone => null)`, 'DJR13', /must be one role/],
  [`djr.grant_server('public')`, 'DJR13', /must be one role/],
  [`djr.grant_publish('postgres', everyone => true)`, 'DJR13', /must be public/],
  ['djr.grant_publish(null)', 'DJR13', /must be the name of a role \(it is null\)/],
  ['djr.grant_server(null)', 'DJR13', /must be the name of a role \(it is null\)/],
  [`djr.grant_publish('nobody at all')`, '42704', /"nobody at all" does not exist/],
  [`djr.grant_server('PUBLIC')`, '42704', /"PUBLIC" does not exist/],
  [`djr.grant_publish('"public"')`, '42704', /does not exist/],
  [`djr.grant_publish('current_user')`, '42704', /"current_user" does not exist/],
  [`djr.revoke_publish('nobody at all')`, '42704', /"nobody at all" does not exist/],
  [`djr.revoke_server(null)`, 'DJR13', /\(it is null\)/],
] as const) {
  test(`${call} is refused`, async (t) => {
    const db = await createDatabase(t);
    const error = await refusal(db, `select ${call}`);
    t.is(error.code, code);
    t.regex(error.message, message);
    t.truthy(error.hint);
    t.deepEqual(await privileges(db, null), []);
  });
}

test('everyone may publish when it is meant, over an upgrade, and no more once it is revoked', async (t) => {
  const db = await createDatabase(t);
  const anyone = await createRole(t, db, 'anyone');
  await db.query(`select djr.grant_publish('public', everyone => true)`);
  await db.query('delete from djr.migrations where name > $1', ['000002']);
  await migrate(db.url);
  await anyone.query(`select djr.publish('1', 't')`);
  t.is((await refusal(anyone, 'select * from djr.event')).code, '42501');
  t.deepEqual(await db.query('select * from djr.grantee'), [{ role: 'public', capability: 'publish' }]);
  await db.query(`select djr.revoke_publish('public')`);
  t.is((await refusal(anyone, `select djr.publish('1', 't')`)).code, '42501');
  t.deepEqual(await privileges(db, null), []);
});

const grantsOf = async (t: Parameters<typeof djr>[0], url: string) =>
  (await djr(t, ['doctor', '--json', '-d', url])).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { check: string; state: string; found: string })
    .find(({ check }) => check === 'grants')!;

test('What an app grants on columns of its own stays over an upgrade, and is no right too many', async (t) => {
  const db = await createDatabase(t);
  const app = await createRole(t, db, 'app');
  const [own] = await db.query<{ columns: string }>(
    `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
    where attrelid = 'djr.event'::regclass and attnum > 0 and not attisdropped`,
  );
  await db.query(`alter table djr.event add column tenant_id bigint, add column "No te" text;
    select djr.grant_publish('${app.role}');
    grant insert (tenant_id) on djr.event to ${app.role};
    grant insert ("No te"), select ("No te") on djr.event to ${app.role} with grant option;
    grant select (${own!.columns}) on djr.event to ${app.role}`);
  t.deepEqual(await db.query('select distinct column_name from djr._app_grants() order by column_name'), [
    { column_name: 'No te' },
    { column_name: 'tenant_id' },
  ]);
  for (const { sql } of MIGRATIONS.slice(-1)) await db.query(sql);
  t.deepEqual(await db.query('select * from djr._excess_rights() where role = $1', [app.role]), []);
  await app.query(`insert into djr.event (scope, type, tenant_id, "No te") values ('public', 't', 7, 'x')`);
  t.deepEqual(await app.query('select "No te" from djr.event'), [{ 'No te': 'x' }]);
  t.is((await refusal(app, 'select tenant_id from djr.event')).code, '42501');
  t.is((await refusal(app, 'select detail from djr.event')).code, '42501');
  t.deepEqual(
    await db.query(
      `select is_grantable from information_schema.column_privileges
      where table_schema = 'djr' and table_name = 'event' and column_name = 'No te' and grantee = $1`,
      [app.role],
    ),
    [{ is_grantable: 'YES' }, { is_grantable: 'YES' }],
  );
});

test('doctor and migrate name each role that can do more than it was granted', async (t) => {
  const db = await createDatabase(t);
  const [publisher, reader, admin, server] = [
    await createRole(t, db, 'publisher'),
    await createRole(t, db, 'reader'),
    await createRole(t, db, 'admin', 'in role pg_read_all_data'),
    await createRole(t, db, 'server'),
  ];
  await db.query('select djr.grant_publish($1), djr.grant_server($2)', [publisher.role, server.role]);
  t.notRegex(
    (await grantsOf(t, server.url)).found,
    new RegExp(`${publisher.role}|${reader.role}|${server.role}|public`),
  );
  await db.query(`grant select (detail) on djr.event to ${publisher.role}; grant execute on function djr.configure to ${reader.role};
    grant execute on function djr.channel to ${server.role} with grant option;
    grant usage on schema djr to public`);
  const { state, found } = await grantsOf(t, server.url);
  t.is(state, 'warning');
  t.true(found.includes(`${publisher.role} (select (detail) on djr.event)`), found);
  t.true(found.includes(`${reader.role} (execute on djr.configure(`), found);
  t.true(found.includes('public (usage on djr)'), found);
  t.true(found.includes(`${admin.role} (everything that members of pg_read_all_data may)`), found);
  // It has the right already, and may give it to others besides.
  t.true(found.includes(`${server.role} (execute with grant option on djr.channel())`), found);

  const lines: string[] = [];
  t.deepEqual(await migrate(db.url, { log: (line) => lines.push(line) }), []);
  for (const role of [publisher.role, reader.role, admin.role, server.role, 'public']) {
    t.true(
      lines.some((line) => line.startsWith(`djr: ${role} can do more than it was granted: `)),
      role,
    );
  }
});
