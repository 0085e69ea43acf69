import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { hasTerminal, start, startOnTerminal } from './helpers.js';

const onTerminal = hasTerminal ? test : test.skip;
const ESC = '\u001b';

onTerminal('tail is coloured on a terminal, and not with NO_COLOR', async (t) => {
  const db = await createDatabase(t);
  const args = ['tail', '--count', '1', '-d', db.url];
  const [coloured, plain] = [startOnTerminal(t, args), startOnTerminal(t, args, { NO_COLOR: '1' })];
  await Promise.all([coloured.printed(/listening/), plain.printed(/listening/)]);
  await db.query(`select djr.publish('ada', 'note', '{"a": 1}')`);
  const [first, second] = await Promise.all([coloured.ended, plain.ended]);
  t.true(first.out.includes(`${ESC}[36muser ada${ESC}[39m`));
  t.regex(second.out, /user ada {2}note {2}\{"a":1\}/);
  t.false(second.out.includes(ESC));
  t.deepEqual([first.code, second.code], [0, 0]);
});

onTerminal('doctor is green and red on a terminal', async (t) => {
  const empty = await createDatabase(t, { template: null });
  const { code, out } = await startOnTerminal(t, ['doctor', '-d', empty.url]).ended;
  t.is(code, 1);
  t.true(out.includes(`${ESC}[32mok `) && out.includes(`${ESC}[31mfailed `));
});

onTerminal('prune and replay have a bar on a terminal, which goes when they end', async (t) => {
  const db = await createDatabase(t);
  await db.query(`insert into djr.event (scope, type, created_at)
    select 'public', 't', now() - interval '2 days' from generate_series(1, 40)`);
  const prune = await startOnTerminal(t, ['prune', '--older-than', '1 day', '--batch', '10', '-d', db.url]).ended;
  t.regex(prune.out, /\d+ of 40 events deleted/);
  t.regex(prune.out, /40\r?\n$/);
  t.is(prune.code, 0);
  const [row] = await db.query<{ id: string }>("select djr.publish_global('a') as id");
  const replay = await startOnTerminal(t, ['replay', row!.id, '-d', db.url]).ended;
  t.regex(replay.out, /of 1 events sent again/);
  t.is(replay.code, 0);
});

onTerminal('stats --watch draws over what it drew', async (t) => {
  const db = await createDatabase(t);
  const watch = startOnTerminal(t, ['stats', '--watch', '1', '-d', db.url]);
  const cleared = `${ESC}\\[H${ESC}\\[2J`;
  t.truthy(await watch.printed(new RegExp(`${cleared}[\\s\\S]*${cleared}`)));
});

test('More ids than one statement takes are replayed in their order, all or none', async (t) => {
  const db = await createDatabase(t);
  await db.query("select djr.publish_global('t', jsonb_build_object('n', n)) from generate_series(1, 1200) n");
  const ids = (await db.query<{ id: string }>('select id from djr.event order by id')).map(({ id }) => id);
  const refused = await start(t, ['replay', ...ids, '99999', '-d', db.url]).ended;
  t.is(refused.code, 1);
  t.deepEqual(await db.query('select count(*)::int as n from djr.event'), [{ n: 1200 }]);
  const { code, out } = await start(t, ['replay', ...ids, '-d', db.url]).ended;
  t.is(code, 0);
  t.is(out.trim().split('\n').length, 1200);
  const wrong = await db.query(`select from (
    select replay_of, lag(replay_of) over (order by id) as before from djr.event where replay_of is not null) r
    where replay_of <= before`);
  t.deepEqual(wrong, []);
});

test('serve logs neither token, cookie nor password, at any level', async (t) => {
  const secret = 'hunter2';
  const db = await createDatabase(t);
  await db.query('create table session (token int, user_id text)');
  const serve = start(t, [
    'serve',
    '--port',
    '0',
    '--log-level',
    'trace',
    '-d',
    db.url,
    '--session-cookie',
    'sid',
    '--session-sql',
    'select user_id from session where token = $1::int',
    '--login-required',
  ]);
  const [, origin] = await serve.printed(/listening on (http:\/\/[^/]+)/);
  for (const headers of [{ cookie: `sid=${secret}` }, { cookie: `sid=${secret}; sid=${secret}` }, {}] as Record<
    string,
    string
  >[]) {
    const response = await fetch(`${origin}/realtime/sse/?token=${secret}`, { headers });
    t.true(response.status === 401 || response.status === 503, String(response.status));
    await response.body?.cancel();
  }
  const [row] = await db.query<{ channel: string }>('select djr.channel() as channel');
  await db.query('select pg_notify($1, $2)', [row!.channel, `{"${secret}`]);
  await serve.complained(/not ours/);
  serve.child.kill('SIGTERM');
  const { code, err } = await serve.ended;
  t.is(code, 0);
  t.notRegex(err, new RegExp(secret));
  for (const line of err.trim().split('\n')) t.is(typeof JSON.parse(line).level, 'number');
});
