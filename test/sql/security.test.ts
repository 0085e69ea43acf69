import test, { type ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { listen, refusal } from '../helpers/sql.js';

/** A login role of a test's own, with a connection as that role: no membership, no SET ROLE to come back from. */
async function roleOf(t: ExecutionContext, db: TestDatabase, grant?: 'grant_publish' | 'grant_server') {
  const role = `${grant ?? 'nobody'}_${db.name}`;
  await db.query(`create role ${role} login password 'secret'`);
  if (grant) await db.query(`select djr.${grant}($1)`, [role]);
  const url = new URL(db.url);
  url.username = role;
  url.password = 'secret';
  const client = await db.connect({ connectionString: url.href });
  t.teardown(async () => {
    await client.end();
    await db.query(`drop owned by ${role}; drop role ${role}`);
  });
  return { role, client, query: async (sql: string, values?: unknown[]) => (await client.query(sql, values)).rows };
}

const reads = [
  'select * from djr.event',
  'select private_data from djr.event',
  'select * from djr.settings',
  'select djr.channel()',
  'select * from djr.activity',
  'select * from djr.event_status',
];
const writes = [`select djr.publish('1', 't')`, `insert into djr.event (scope, type) values ('public', 't')`];
const administration = [
  `select djr.configure(storage => false)`,
  `update djr.settings set channel = 'mine'`,
  'delete from djr.event',
  'truncate djr.event',
  `select setval('djr.delivery_mode', 2)`,
  'create table djr.own (id int)',
];

test('a role without a grant can do nothing at all', async (t) => {
  const db = await createDatabase(t);
  const nobody = await roleOf(t, db);
  for (const sql of [
    ...reads,
    ...writes,
    ...administration,
    'select djr.position()',
    'select djr.replay(1)',
    'select djr.prune()',
    `select djr._publish('public', null, 't', '{}', null, null)`,
    `select djr._acknowledge('i', '{1}', '{1}', '{read}')`,
  ]) {
    t.is((await refusal(nobody, sql)).code, '42501', sql);
  }
});

test('a publisher can publish in every way, and can read nothing and change nothing', async (t) => {
  const db = await createDatabase(t);
  const publisher = await roleOf(t, db, 'grant_publish');
  for (const sql of [
    ...writes,
    `select djr.publish_global('t')`,
    `select djr.publish_system('t')`,
    `select djr.publish_many('[{"user_id": 1, "type": "t"}]')`,
    `select djr.publish('1', 't', key => 'k')`,
    'select djr.position()',
  ]) {
    await t.notThrowsAsync(publisher.query(sql), sql);
  }
  for (const sql of [
    ...reads,
    ...administration,
    'select djr.replay(1)',
    'select djr.prune()',
    `select djr.record_activity('i', '{1}', '{sent}', '{null}', '{1}')`,
    `select djr.acknowledge('1', '{1}', 'read')`,
    `select djr._acknowledge('i', '{1}', '{1}', '{read}')`,
    `select djr.set_delivery_mode('sweep')`,
  ]) {
    t.is((await refusal(publisher, sql)).code, '42501', sql);
  }
});

test("a publisher cannot set what is the database's to set", async (t) => {
  const db = await createDatabase(t);
  const publisher = await roleOf(t, db, 'grant_publish');
  for (const [column, value] of [
    ['xid', `'3'`],
    ['created_at', 'now()'],
    ['replay_of', '1'],
  ]) {
    const error = await refusal(
      publisher,
      `insert into djr.event (scope, type, ${column}) values ('public', 't', ${value})`,
    );
    t.is(error.code, '42501', column);
  }
  const forced = `insert into djr.event (id, scope, type) overriding system value values (1, 'public', 't')`;
  t.is((await refusal(publisher, forced)).code, '42501');
});

test('a server role can read, record activity, prune and replay, and cannot publish or configure', async (t) => {
  const db = await createDatabase(t);
  const server = await roleOf(t, db, 'grant_server');
  await db.query(`select djr.publish('1', 't')`);
  for (const sql of [
    ...reads,
    'select djr.epoch()',
    'select djr.position()',
    `select djr.set_delivery_mode('sweep')`,
    'select djr.repair_xids()',
    'select djr.replay(1)',
    `select djr.prune('1 day')`,
    `select djr.prune_batch('1 day', 10)`,
    `insert into djr.activity (event_id, status) values (1, 'sent')`,
    `select djr.record_activity('i', '{1}', '{sent}', '{null}', '{1}')`,
    `select djr.acknowledge('1', '{1}', 'read')`,
    'select * from djr.migrations',
  ]) {
    await t.notThrowsAsync(server.query(sql), sql);
  }
  for (const sql of [...writes, ...administration, 'update djr.event set type = $$x$$', 'delete from djr.activity']) {
    t.is((await refusal(server, sql)).code, '42501', sql);
  }
});

test("the channel cannot be found by looking: neither its name in a catalog nor another session's LISTEN", async (t) => {
  const db = await createDatabase(t);
  await listen(db);
  const publisher = await roleOf(t, db, 'grant_publish');
  t.deepEqual(await publisher.query('select pg_listening_channels()'), []);
  const seen = await publisher.query(
    `select query from pg_stat_activity where query ilike '%listen "djr_%' and pid <> pg_backend_pid()`,
  );
  t.deepEqual(seen, []);
});

test('a search_path with functions and types of an attacker in front does nothing', async (t) => {
  const db = await createDatabase(t);
  const listener = await listen(db);
  const attacker = await roleOf(t, db, 'grant_publish');
  await db.query(`create schema evil; grant all on schema evil to ${attacker.role}`);
  await attacker.query(`
    create function evil.pg_notify(text, text) returns void language plpgsql as $$ begin raise exception 'stolen: %', $1; end $$;
    create function evil.octet_length(text) returns int language sql as 'select 1';
    create function evil.always(text, text) returns boolean language sql as 'select true';
    create operator evil.= (leftarg = text, rightarg = text, function = evil.always);
    create domain pg_temp.text as pg_catalog.text check (value = 'never');
    create temporary table settings (storage boolean, channel pg_catalog.text);
    insert into settings values (true, 'mine')`);
  await attacker.query('set search_path = evil, pg_temp, pg_catalog');
  await attacker.query(`select djr.publish('1'::pg_catalog.text, 't'::pg_catalog.text)`);
  await attacker.query(`insert into djr.event (scope, type) values ('public', 't')`);
  t.is((await listener.messages(2)).length, 2);
  t.is(
    (
      await refusal(
        attacker,
        `select djr.publish('1'::pg_catalog.text, 't'::pg_catalog.text, jsonb_build_object('a', repeat('x', 8000)))`,
      )
    ).code,
    'DJR05',
  );
});

test('every function has a fixed search_path, or runs with the rights of its caller only', async (t) => {
  const { query } = await createDatabase(t);
  const loose = await query(`select proname from pg_proc
    where pronamespace = 'djr'::regnamespace and prosecdef
      and not coalesce(array_to_string(proconfig, ' ') like '%search_path=pg_catalog, pg_temp%', false)`);
  t.deepEqual(loose, []);
});

test('nothing of djr is granted to everyone', async (t) => {
  const { query } = await createDatabase(t);
  const granted = await query(`
    select relname::text as name from pg_class, aclexplode(relacl) a where relnamespace = 'djr'::regnamespace and a.grantee = 0
    union all select proname from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) a where pronamespace = 'djr'::regnamespace and a.grantee = 0
    union all select nspname from pg_namespace, aclexplode(nspacl) a where nspname = 'djr' and a.grantee = 0`);
  t.deepEqual(granted, []);
});
