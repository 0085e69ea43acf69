import test from 'ava';
import pg from 'pg';
import { AdminStore } from '../../src/admin/store.js';
import { diagnose } from '../../src/doctor/diagnosis.js';
import { migrate } from '../../src/install/migrate.js';
import { schemaVersion } from '../../src/install/schema-version.js';
import { readStatistics } from '../../src/instance/statistics.js';
import { createDatabase, databaseUrl, type TestDatabase } from '../helpers/database.js';
import { startApp, until } from '../helpers/server.js';

// What an app may do to its whole process: every value becomes something else than one expects.
const BIGINT = 20;
for (const oid of [
  16, 17, 19, 21, 23, 25, 114, 700, 701, 1043, 1082, 1114, 1184, 1186, 1700, 3802, 1000, 1009, 1016, 2278,
]) {
  pg.types.setTypeParser(oid, (text) => ({ perverse: text }));
}
pg.types.setTypeParser(BIGINT, (text) => BigInt(text));

/** A database, and every session in it, with formats of its own. */
async function foreign(t: Parameters<typeof createDatabase>[0]): Promise<TestDatabase> {
  const db = await createDatabase(t);
  for (const setting of [
    "datestyle = 'German, DMY'",
    "intervalstyle = 'sql_standard'",
    "bytea_output = 'escape'",
    'extra_float_digits = -15',
    "timezone = 'Asia/Kathmandu'",
    'standard_conforming_strings = on',
  ]) {
    const client = new pg.Client(databaseUrl('postgres'));
    await client.connect();
    await client.query(`alter database ${db.name} set ${setting}`);
    await client.end();
  }
  // Those that are open began before it.
  await db.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  return db;
}

test('Publish, live events, sweep and resume work whatever the formats of the process and of the database are', async (t) => {
  const db = await foreign(t);
  const app = await startApp(t, { sweepInterval: 50, pruneInterval: 50 }, db);
  const first = await app.streamOf('ada');
  t.is(await app.realtime.publish({ userId: 'ada', type: 'one', key: 'k' }), 1);
  t.is(await app.realtime.publish({ userId: 'ada', type: 'one', key: 'k' }), 1);
  await first.count(1);
  first.close();
  await db.query("select djr.configure(delivery => 'sweep', retention => '30 days')");
  t.is(await app.realtime.publish({ userId: 'ada', type: 'two' }), 3, 'the key took a number');
  const other = await startApp(t, { historyEvents: 0 }, db);
  const stream = await other.streamOf('ada', '', { lastEventId: first.lastEventId });
  await stream.until('the event', () => stream.types.includes('two'));
  const seen: Date[] = [];
  app.realtime.subscribe('three', (event) => seen.push(event.createdAt));
  await app.realtime.publish({ userId: 'ada', type: 'three' });
  await until('the subscriber', () => seen.length === 1);
  t.true(Math.abs(seen[0]!.getTime() - Date.now()) < 3_600_000);
  const ack = await fetch(`${app.origin}/realtime/ack/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user': 'ada' },
    body: '{"id": 1, "status": "read"}',
  });
  t.deepEqual(await ack.json(), { acknowledged: [1] });
  t.deepEqual(
    app.lines.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  );
});

test('The admin shows every page', async (t) => {
  const db = await foreign(t);
  const app = await startApp(t, { admin: { authorize: () => true } }, db);
  const id = await app.realtime.publish({ userId: 'ada', type: 'paid', detail: { n: 1 }, privateData: { p: 1 } });
  await app.realtime.publish({ scope: 'public', type: 'news' });
  await until('the instance', async () => (await db.query('select from djr.instance')).length === 1);
  for (const page of ['', 'overview/', `events/${id}/`, '?type=paid&user=ada', '?status=new']) {
    const answer = await fetch(`${app.origin}/realtime/admin/${page}`);
    t.true(answer.status === 200 || answer.status === 404, `${page} ${answer.status}`);
    t.notRegex(await answer.text(), /perverse|NaN|\[object|undefined/, page);
  }
  const store = new AdminStore(() => db.pool);
  const { events } = await store.list({ from: new Date(Date.now() - 60_000) }, {}, 10);
  t.deepEqual(
    events.map(({ created_at, recipients, errors }) => [created_at instanceof Date, recipients, errors]),
    [
      [true, 0, 0],
      [true, 0, 0],
    ],
  );
  const { settings, instances } = await store.overview();
  t.is(settings.storage, true);
  t.true(instances[0]!.started_at instanceof Date);
  const record = await store.find(String(id));
  t.deepEqual([record!.has_private_data, record!.key, record!.replays], [true, null, []]);
  t.deepEqual(JSON.parse((await store.privateData(String(id)))!), { p: 1 });
  t.deepEqual(await store.recentTypes(), ['news', 'paid']);
  t.deepEqual(await store.replay([String(id)]), ['3']);
  t.is(await store.hasDetailIndex(), false);
});

test('Statistics, doctor and migrate read the same', async (t) => {
  const db = await foreign(t);
  await db.query("select djr.publish_public('t') from generate_series(1, 123)");
  await db.query("select djr.report_instance('i', '1 day', 3, 1234567, 2, 1, 12.345, 'host 1', 'v')");
  const client = await db.connect();
  const statistics = await readStatistics(client, '1 hour');
  t.is(statistics.counted, 123);
  t.deepEqual(statistics.events, [{ type: 't', scope: 'public', count: 123 }]);
  t.true(
    statistics.oldest_event instanceof Date && Math.abs(statistics.oldest_event.getTime() - Date.now()) < 3_600_000,
  );
  t.like(statistics.instances[0], { events: 1234567, connections: 3, gone: false });
  t.true(Math.abs(statistics.instances[0]!.lag_ms! - 12.345) < 0.01);
  t.is(typeof statistics.queue_usage, 'number');
  await db.query('grant select on djr.event to public');
  for await (const { check, found, state } of diagnose(client, () => db.connect())) {
    t.notRegex(found, /perverse|NaN|\[object|undefined|not a function|not defined|cannot read/i, check);
    if (['version', 'schema', 'rights', 'row security', 'LISTEN', 'indexes', 'clock'].includes(check))
      t.is(state, 'ok', `${check} ${found}`);
  }
  const { expected, installed } = await schemaVersion(client);
  t.is(installed, expected);
  t.deepEqual(await migrate(db.url), []);
});

test('where standard_conforming_strings is off a trigger finds its columns, and types and topics obey the same rules', async (t) => {
  const db = await createDatabase(t);
  const client = await db.connect();
  await client.query(
    'set standard_conforming_strings = off; set escape_string_warning = off; set backslash_quote = off',
  );
  await client.query(`create table o (id int primary key, user_id int, status text, "a b" text);
    create trigger o after insert on o for each row
      execute function djr.publish_row('o_changed', 'user_id', 'id , status,"a b"');
    create trigger room after insert on o for each row
      execute function djr.publish_row('o_changed', 'topic:room:{ user_id }', 'id , status');
    insert into o values (1, 7, 's', 'x')`);
  const { rowCount } = await client.query(`select from djr.event
    where (user_id = '7' and detail ?& array['id', 'status', 'a b']) or (topic = 'room:7' and detail ?& array['id', 'status'])`);
  t.is(rowCount, 2);
  for (const call of ["publish('1', 'a b')", "publish_topic('a b', 't')", "publish('1', 'djr:x')"]) {
    await t.throwsAsync(client.query(`select djr.${call}`), { message: /must/ }, call);
  }
  t.is((await client.query("select djr.publish('1', 'asu0001-b')")).rowCount, 1);
});
