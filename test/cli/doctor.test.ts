import test from 'ava';
import { startCluster } from '../helpers/cluster.js';
import { createDatabase } from '../helpers/database.js';
import { djr } from './helpers.js';

const states = (out: string): Record<string, string> =>
  Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { check: string; state: string })
      .map(({ check, state }) => [check, state]),
  );

test('doctor finds a good database good, and says what could hurt later', async (t) => {
  const { url } = await createDatabase(t);
  const { code, out } = await djr(t, ['doctor', '--json', '-d', url]);
  t.is(code, 0);
  t.deepEqual(states(out), {
    version: 'ok',
    schema: 'ok',
    rights: 'ok',
    grants: 'ok',
    'row security': 'ok',
    LISTEN: 'ok',
    'NOTIFY queue': 'ok',
    triggers: 'ok',
    indexes: 'ok',
    retention: 'warning',
    consumers: 'ok',
    vacuum: 'ok',
    transactions: 'ok',
    restore: 'ok',
    durability: 'warning',
    clock: 'ok',
    connections: 'ok',
    instances: 'ok',
  });
});

test('doctor ends with 1 where something failed, and names the one thing to do', async (t) => {
  const { url, query } = await createDatabase(t);
  const role = `low_${Date.now()}`;
  await query(`create role ${role} login password 'low'`);
  t.teardown(() => query(`drop role ${role}`).catch(() => {}));
  const low = new URL(url);
  low.username = role;
  low.password = 'low';
  const { code, out } = await djr(t, ['doctor', '-d', low.href]);
  t.is(code, 1);
  t.regex(out, /failed {2}/);

  const empty = await createDatabase(t, { template: null });
  const missing = await djr(t, ['doctor', '-d', empty.url]);
  t.is(missing.code, 1);
  t.regex(missing.out, /failed {2}schema +This database has no schema djr\.\n +Run `djr migrate` first\./);
});

const finding = (out: string, check: string): { state: string; found: string; todo: string } =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .find((one) => one.check === check);

test('doctor finds an index that is gone, and a retention that nobody keeps', async (t) => {
  const { url, query } = await createDatabase(t);
  await query('drop index djr.event_xid');
  await query("select djr.configure(retention => '1 day')");
  await query("insert into djr.event (scope, type, created_at) values ('public', 't', now() - interval '3 days')");
  const { code, out } = await djr(t, ['doctor', '--json', '-d', url]);
  t.is(code, 1);
  t.like(finding(out, 'indexes'), { state: 'failed', found: 'missing: event_xid' });
  t.like(finding(out, 'retention'), { state: 'warning' });
  t.regex(finding(out, 'retention').found, /past that by 2 days/);
});

test('doctor says that a dump of another cluster was restored, and what to do', async (t) => {
  const { url, query } = await createDatabase(t);
  await query("insert into djr.event (scope, type, xid) values ('public', 'old', '99999999999')");
  const { code, out } = await djr(t, ['doctor', '--json', '-d', url]);
  t.is(code, 0);
  t.like(finding(out, 'restore'), { state: 'warning' });
  t.regex(finding(out, 'restore').found, /^a dump of another cluster was restored/);
  await query(finding(out, 'restore').todo);
  t.like(finding((await djr(t, ['doctor', '--json', '-d', url])).out, 'restore'), { state: 'ok' });
});

test('doctor says that instances of different versions run', async (t) => {
  const { url, query } = await createDatabase(t);
  for (const [name, version] of [
    ['a', '1.0.0'],
    ['b', '2.0.0'],
  ]) {
    await query("select djr.report_instance($1, '1 h', 0, 0, 0, 0, null, 'h', $2)", [name, version]);
  }
  // An instance is gone when it has not been seen for 30 s, which a busy machine may need to start a command.
  await query("update djr.instance set seen_at = now() + interval '1 h'");
  const { code, out } = await djr(t, ['doctor', '--json', '-d', url]);
  t.is(code, 0);
  t.like(finding(out, 'instances'), { state: 'warning', found: '2 running, of different versions: 1.0.0, 2.0.0' });
});

test('doctor says which triggers are disabled, and that a role or a database writes as a replica', async (t) => {
  const { name, url, query } = await createDatabase(t);
  const triggers = async () => finding((await djr(t, ['doctor', '--json', '-d', url])).out, 'triggers');
  await query('alter table djr.event disable trigger event_announce');
  t.like(await triggers(), { state: 'failed', found: 'disabled: event_announce on djr.event' });
  await query((await triggers()).todo);
  t.like(await triggers(), { state: 'ok' });

  await query('create table "Order" (id int primary key, who text)');
  await query(
    `create trigger "Tell" after insert on "Order" for each row execute function djr.publish_row('order', 'who', 'id')`,
  );
  await query('alter table "Order" disable trigger "Tell"');
  t.like(await triggers(), { state: 'warning', found: 'disabled: "Tell" on "Order"' });
  await query((await triggers()).todo);
  t.like(await triggers(), { state: 'ok' });

  await query(`alter database ${name} set session_replication_role = replica`);
  t.like(await triggers(), { state: 'failed' });
  t.regex((await triggers()).found, /^session_replication_role is replica for this session/);
});

test("doctor says that a subscription fills djr's tables, or passes by the triggers of an app's", async (t) => {
  const publisher = await startCluster(t, { wal_level: 'logical' });
  const { url, query } = await createDatabase(t);
  const triggers = async () => finding((await djr(t, ['doctor', '--json', '-d', url])).out, 'triggers');
  for (const run of [publisher.query, query]) {
    await run('create table orders (id int primary key, who text)');
  }
  await query(
    `create trigger tell after insert on orders for each row execute function djr.publish_row('order', 'who', 'id')`,
  );
  await publisher.query('create publication of_orders for table orders');
  await publisher.query('create publication of_events for table djr.event');
  const subscribe = async (publication: string) => {
    await query(
      `create subscription ${publication} connection '${publisher.url}' publication ${publication} with (copy_data = false)`,
    );
    t.teardown(async () => {
      await query(`alter subscription ${publication} disable`);
      await query(`alter subscription ${publication} set (slot_name = none)`);
      await query(`drop subscription ${publication}`);
    });
  };
  await subscribe('of_orders');
  t.like(await triggers(), {
    state: 'warning',
    found: 'the subscription of_orders fills orders, and its rows pass the trigger tell by: they publish nothing',
    todo: 'alter table orders enable always trigger tell;',
  });
  await query((await triggers()).todo);
  t.like(await triggers(), { state: 'ok' });
  await subscribe('of_events');
  t.like(await triggers(), { state: 'failed' });
  t.regex((await triggers()).found, /^the subscription of_events fills djr\.event/);
});

// The setting that makes the queue small is there since 17.
const since17 = /postgres-1[456]/.test(process.env.DJR_TEST_POSTGRES ?? '') ? test.skip : test;

since17('doctor names the session that holds the NOTIFY queue up', async (t) => {
  const cluster = await startCluster(t, { max_notify_queue_pages: '64' });
  const culprit = await cluster.connect();
  await culprit.query("set application_name = 'forgotten'");
  await culprit.query('listen whatever');
  await culprit.query('begin');
  const [row] = await cluster.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'forgotten'",
  );
  await cluster.query("select pg_notify('other', repeat('x', 7000) || n) from generate_series(1, 20) n");
  const { code, out } = await djr(t, ['doctor', '-d', cluster.url]);
  t.is(code, 1);
  t.regex(out, /failed {2}NOTIFY queue {2}\d+\.\d % full: most likely session \d+ \(postgres, forgotten\)/);
  t.true(out.includes(`select pg_catalog.pg_terminate_backend(${row!.pid});`));
});

test('doctor does not take the schema of a newer version for its own', async (t) => {
  const { query, url } = await createDatabase(t);
  const schema = async () => finding((await djr(t, ['doctor', '--json', '-d', url])).out, 'schema');
  t.like(await schema(), { state: 'ok', found: 'as this version of djr expects, on the primary' });
  await query("insert into djr.migrations (name, run_on) values ('000999-later', now())");
  const { found, state } = await schema();
  t.is(state, 'ok');
  t.regex(found, /^at 000999-later, newer than the \d{6}\S* of this version of djr/);
});
