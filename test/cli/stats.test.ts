import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startApp } from '../helpers/server.js';
import { djr, start } from './helpers.js';

test('stats shows instances, events of the period by type and scope, and how events are delivered', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.report_instance('i1', '1 h', 1234, 10, 20, 0, 1.5, 'web-1 42', '1.2.3')");
  // Not gone after 30 s, which a busy machine may need to start a command.
  await db.query("update djr.instance set seen_at = now() + interval '1 h'");
  await db.query("select djr.publish('ada', 'note'), djr.publish('bob', 'note'), djr.publish_global('news')");
  await db.query(
    "insert into djr.event (scope, type, created_at) values ('public', 'old', now() - interval '2 hours')",
  );
  const { code, out, err } = await djr(t, ['stats', '-d', db.url]);
  t.is(err, '');
  t.is(code, 0);
  t.regex(out, /^delivery {6}notify \(auto\)$/m);
  t.regex(out, /^NOTIFY queue {2}0\.0 % full$/m);
  t.regex(out, /^i1 {8}web-1 42 {2}1\.2\.3 {6}1,234 {6}10 {10}20 {7}0 {2}1\.5/m);
  t.regex(out, /3 events of the last hour\nTYPE {2}SCOPE {3}EVENTS\nnote {2}user {9}2\nnews {2}public {7}1\n$/);
  t.regex(
    (await djr(t, ['stats', '-d', db.url, '--period', 'day'])).out,
    /4 events of the last day[\s\S]*old {3}public/,
  );
});

test('stats --json is one object, and what others wrote moves no cursor', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.report_instance(E'\\u009b', '1 h', 1, 1, 1, 1, null, E'a\\u001b[2J', '1')");
  // Not gone after 30 s, which a busy machine may need to start a command.
  await db.query("update djr.instance set seen_at = now() + interval '1 h'");
  const { out } = await djr(t, ['stats', '--json', '-d', db.url]);
  const found = JSON.parse(out);
  // The queue is the cluster's: what others notify may be in it.
  t.true(found.queue_usage >= 0 && found.queue_usage < 1);
  t.like(found, { mode: 'notify', oldest_event: null, events: [], counted: 0, complete: true });
  t.is(found.instances[0].lag_ms, null);
  t.is(found.instances[0].gone, false);
  t.deepEqual(
    found.tables.map(({ name }: { name: string }) => name),
    ['event', 'activity'],
  );
  const { out: people } = await djr(t, ['stats', '-d', db.url]);
  t.false(people.includes('\u001b') || people.includes('\u009b'));
});

test('stats --watch goes on until it is told to end, and sees a real instance come', async (t) => {
  const db = await createDatabase(t);
  const watch = start(t, ['stats', '--watch', '1', '-d', db.url]);
  await watch.printed(/no instance runs\n/);
  await startApp(t, {}, db);
  await watch.printed(/INSTANCE +HOST/);
  watch.child.kill('SIGINT');
  t.is((await watch.ended).code, 0);
});

test('stats ends quietly when its output is closed', async (t) => {
  const db = await createDatabase(t);
  const watch = start(t, ['stats', '--watch', '1', '-d', db.url]);
  await watch.printed(/no instance runs/);
  watch.child.stdout!.destroy();
  const { code, err } = await watch.ended;
  t.deepEqual([code, err], [0, '']);
});

test('stats refuses what it does not know, and a database without djr', async (t) => {
  const empty = await createDatabase(t, { template: null });
  t.is((await djr(t, ['stats', '--period', 'year', '-d', empty.url])).code, 2);
  t.is((await djr(t, ['stats', '--watch', '0', '-d', empty.url])).code, 2);
  const { code, err } = await djr(t, ['stats', '-d', empty.url]);
  t.is(code, 1);
  t.regex(err, /no schema djr/);
});
