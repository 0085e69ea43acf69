import { readFile } from 'node:fs/promises';
import test from 'ava';
import { dumpSchema } from '../../scripts/schema-dump.js';
import { migrate } from '../../src/install/migrate.js';
import { MIGRATIONS } from '../../src/install/migration-files.js';
import { createDatabase } from '../helpers/database.js';
import { listen } from '../helpers/sql.js';

test('own columns, indexes and foreign keys work beside publish, and survive the schema being applied again', async (t) => {
  const db = await createDatabase(t);
  await db.query(`alter table djr.event add column tenant_id bigint;
    create index event_tenant on djr.event (tenant_id, id);
    create index event_detail on djr.event using gin (detail jsonb_path_ops);
    create table notification (event_id bigint primary key references djr.event (id) on delete cascade)`);
  await db.query(`insert into djr.event (scope, type, tenant_id) values ('public', 't', 7)`);
  await db.query(`insert into notification select djr.publish('1', 't', '{"order_id": 17}')`);
  const before = await dumpSchema(await db.connect());

  // The committed SQL once more, as an upgrade applies its parts: replaced in place, nothing dropped.
  for (const { sql } of MIGRATIONS) await db.query(sql);
  t.deepEqual(await migrate(db.url), []);
  t.is(await dumpSchema(await db.connect()), before);
  t.is((await db.query('select from djr.event where tenant_id = 7')).length, 1);
  t.is((await db.query(`select from djr.event where detail @> '{"order_id": 17}'`)).length, 1);

  await db.query(`update djr.event set created_at = now() - interval '2 days'; select djr.prune('1 day')`);
  t.deepEqual(await db.query('select from notification'), []);
});

test('An event whose row a trigger of the app keeps out is neither stored nor sent, with and without a key, and has no id', async (t) => {
  const db = await createDatabase(t);
  await db.query(`create function mute() returns trigger language plpgsql as $$
      begin return case when new.type <> 'muted' then new end; end $$;
    create trigger mute before insert on djr.event for each row execute function mute()`);
  const listener = await listen(db);
  const ids = async (call: string) =>
    (await db.query<{ id: string | null }>(`select ${call} as id`)).map(({ id }) => id);
  t.deepEqual(await ids(`djr.publish('1', 'muted')`), [null]);
  t.deepEqual(await ids(`djr.publish('1', 'muted', key => 'k')`), [null]);
  for (const key of ['null', '"l"']) {
    const [muted, loud] = await ids(`djr.publish_many('[
      {"user_id": 1, "type": "muted", "key": ${key}}, {"user_id": 1, "type": "loud"}]')`);
    t.is(muted, null);
    t.deepEqual(await db.query('select type from djr.event where id = $1', [loud]), [{ type: 'loud' }]);
  }
  await db.query(`select djr.publish('1', 'end')`);
  const lines = (await listener.messages(3)).flatMap((message) => message.split('\n'));
  t.deepEqual(
    lines.map((line) => JSON.parse(line.split('\t')[0]!)[4]),
    ['loud', 'loud', 'end'],
  );
  t.is((await db.query('select from djr.event')).length, 3);
});

test('a publisher that runs while the functions are replaced never fails', async (t) => {
  const db = await createDatabase(t);
  const migrations = MIGRATIONS;
  let replaced = false;
  const upgrade = (async () => {
    for (const { sql } of [...migrations, ...migrations]) await db.query(sql);
    replaced = true;
  })();
  const publisher = await db.connect();
  let published = 0;
  while (!replaced || published < 20) {
    await publisher.query(`select djr.publish('1', 't')`);
    published += 1;
  }
  await upgrade;
  t.is((await db.query('select from djr.event')).length, published);
});

test('the row-trigger example publishes what its README says', async (t) => {
  const db = await createDatabase(t);
  await db.query(await readFile(new URL('../../examples/row-trigger/orders.sql', import.meta.url), 'utf8'));
  await db.query(`insert into orders (customer_id, status, total) values (7, 'new', 19.90)`);
  await db.query(`update orders set status = 'paid' where id = 1`);
  await db.query(`update orders set internal_note = 'nobody sees this'`);
  t.deepEqual(await db.query('select user_id, detail from djr.event order by id'), [
    { user_id: '7', detail: { ':id': 1, op: 'insert', status: 'new', total: 19.9 } },
    { user_id: '7', detail: { ':id': 1, op: 'update', status: 'paid', total: 19.9 } },
  ]);
});

test('every table, column, domain, function and index of djr says what it is', async (t) => {
  const { query } = await createDatabase(t);
  const silent = await query(`
    select oid::regprocedure::text as name from pg_proc where pronamespace = 'djr'::regnamespace and obj_description(oid, 'pg_proc') is null
    union all select oid::regclass::text from pg_class where relnamespace = 'djr'::regnamespace and relkind in ('r', 'v')
      and relname <> 'migrations' and obj_description(oid, 'pg_class') is null
    union all select attrelid::regclass || '.' || attname from pg_attribute join pg_class on pg_class.oid = attrelid
      where relnamespace = 'djr'::regnamespace and relkind in ('r', 'v') and relname <> 'migrations' and attnum > 0
      and not attisdropped and col_description(attrelid, attnum) is null
    union all select oid::regtype::text from pg_type where typnamespace = 'djr'::regnamespace and typtype = 'd' and obj_description(oid, 'pg_type') is null`);
  t.deepEqual(silent, []);
});
