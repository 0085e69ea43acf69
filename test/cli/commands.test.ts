import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { SignJWT } from 'jose';
import { createDatabase } from '../helpers/database.js';
import { djr, readEvents, start } from './helpers.js';

test('migrate installs, a second time does nothing, and --uninstall --yes takes it all away', async (t) => {
  const database = await createDatabase(t, { template: null });
  const env = { DATABASE_URL: database.url };

  const dry = await djr(t, ['migrate', '--dry-run'], { env });
  t.is(dry.code, 0);
  t.regex(dry.out, /-- would apply 000001/);
  t.deepEqual(await database.query("select to_regnamespace('djr') as schema"), [{ schema: null }]);

  t.regex((await djr(t, ['migrate'], { env })).out, /^applied 000001/);
  t.is((await djr(t, ['migrate'], { env })).out, 'The schema djr is up to date.\n');
  t.deepEqual(await djr(t, ['migrate', '--uninstall', '--yes'], { env }), {
    code: 0,
    out: 'The schema djr is dropped.\n',
    err: '',
  });
  t.deepEqual(await database.query("select to_regnamespace('djr') as schema"), [{ schema: null }]);
});

test('migrate --print gives SQL that psql could run, without a database', async (t) => {
  const { code, out } = await djr(t, ['migrate', '--print']);
  t.is(code, 0);
  const database = await createDatabase(t, { template: null });
  await database.query(out);
  t.is((await djr(t, ['migrate', '-d', database.url])).out, 'The schema djr is up to date.\n');
});

test('publish prints the id of what it published, in each scope, from stdin, and once a key', async (t) => {
  const database = await createDatabase(t);
  const env = { DATABASE_URL: database.url };
  const publish = async (args: string[], input?: string) => {
    const { code, out, err } = await djr(t, ['publish', ...args], { env, input });
    t.is(code, 0, err);
    return out.trim();
  };
  const id = await publish([
    'paid',
    '{"big": 12345678901234567890}',
    '--user',
    '42',
    '--private',
    '{"a": 1}',
    '--key',
    'k',
  ]);
  t.is(await publish(['paid', '--user', '42', '--key', 'k']), id);
  await publish(['news', '-', '--global'], '{"from": "stdin"}');
  await publish(['stale', '--system', '--user', '7']);
  t.deepEqual(
    await database.query('select type, scope, user_id, detail::text, private_data from djr.event order by id'),
    [
      { type: 'paid', scope: 'user', user_id: '42', detail: '{"big": 12345678901234567890}', private_data: { a: 1 } },
      { type: 'news', scope: 'public', user_id: null, detail: '{"from": "stdin"}', private_data: null },
      { type: 'stale', scope: 'system', user_id: '7', detail: '{}', private_data: null },
    ],
  );
});

test('what the database refuses ends with 1 and says what to do', async (t) => {
  const { url } = await createDatabase(t);
  const { code, err } = await djr(t, ['publish', 'connected', '--global', '-d', url]);
  t.is(code, 1);
  t.regex(
    err,
    /^error: The type of an event must not be one that the stream .* \(it is "connected"\)\. .*\nChoose another word\.\n$/,
  );
});

test('tail prints what is wanted as it happens, and SIGINT ends it with 0', async (t) => {
  const database = await createDatabase(t);
  const tail = start(t, ['tail', '-d', database.url, '--type', 'wanted']);
  await tail.complained(/listening/);
  await database.query(
    `select djr.publish('ann', 'other'), djr.publish('ann', 'wanted', '{"c": "\\u009b"}', '{"secret": 1}')`,
  );
  await tail.printed(/user ann {2}wanted {2}\{"c":"\\u009b"\}\n/);
  tail.child.kill('SIGINT');
  const { code, out } = await tail.ended;
  t.is(code, 0);
  t.notRegex(out, /secret|other/);
});

test('tail --json --count ends by itself; a closed output ends it quietly', async (t) => {
  const database = await createDatabase(t);
  const counted = start(t, ['tail', '-d', database.url, '--json', '--count', '1']);
  const piped = start(t, ['tail', '-d', database.url]);
  await Promise.all([counted.complained(/listening/), piped.complained(/listening/)]);
  piped.child.stdout!.destroy();
  const [row] = await database.query<{ id: string }>("select djr.publish_global('a', '{\"b\": 1}') as id");
  const { code, out } = await counted.ended;
  t.is(code, 0);
  t.like(JSON.parse(out), { id: Number(row!.id), type: 'a', scope: 'public', user_id: null, detail: { b: 1 } });

  t.like(await piped.ended, { code: 0, err: 'listening for events; Ctrl-C ends\n' });
});

test('serve: anonymous clients get public events, it says so, and SIGTERM ends it with 0', async (t) => {
  const database = await createDatabase(t);
  const serve = start(t, ['serve', '-d', database.url, '--port', '0', '--base-path', '/live']);
  const [, address] = await serve.printed(/^listening on (http:\/\/127\.0\.0\.1:\d+\/live\/)\n/);
  await serve.complained(/everyone is anonymous/);
  const { events } = await readEvents(`${address}sse/`, 1);
  await database.query(`select djr.publish('ann', 'mine'), djr.publish_global('ours', '{"secret": "detail"}')`);
  t.deepEqual(await events, [{ secret: 'detail', type: 'ours' }]);
  t.is((await fetch(`${address}nothing`)).status, 404);
  serve.child.kill('SIGTERM');
  const { code, err } = await serve.ended;
  t.is(code, 0);
  t.notRegex(err, /"detail"|secret/);
});

test('serve --jwt-secret: a token in a header, the query or a cookie; none or a wrong one is refused', async (t) => {
  const database = await createDatabase(t);
  const secret = 'correct horse battery staple, and more';
  const args = ['serve', '-d', database.url, '--port', '0', '--jwt-claim', 'user_id', '--login-required'];
  const serve = start(t, args, { DJR_JWT_SECRET: secret });
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const sign = (key: string, expires: string) =>
    new SignJWT({ user_id: 42 })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(key));
  const token = await sign(secret, '1h');
  const streams = await Promise.all([
    readEvents(`${address}sse/`, 1, { authorization: `Bearer ${token}` }),
    readEvents(`${address}sse/?token=${token}`, 1),
    readEvents(`${address}sse/`, 1, { cookie: `token=${token}` }),
  ]);
  await database.query(`select djr.publish(42, 'mine'), djr.publish(43, 'not_mine')`);
  for (const { events } of streams) t.deepEqual(await events, [{ type: 'mine' }]);

  for (const bad of ['', `?token=${await sign('another', '1h')}`, `?token=${await sign(secret, '-1h')}`, '?token=x']) {
    const response = await fetch(`${address}sse/${bad}`);
    t.is(response.status, 401);
    t.is(response.headers.get('content-type'), 'application/problem+json');
  }
  serve.child.kill('SIGTERM');
  t.notRegex((await serve.ended).err, new RegExp(token.slice(0, 20)));
});

test("serve --session-sql: the app's own session says who it is; a query that cannot run ends it with 2", async (t) => {
  const database = await createDatabase(t);
  await database.query('create table session (token uuid, user_id bigint)');
  const [row] = await database.query<{ token: string }>(
    'insert into session values (gen_random_uuid(), 7) returning token',
  );
  const session = ['serve', '-d', database.url, '--port', '0', '--session-cookie', 'sid', '--session-sql'];
  const serve = start(t, [...session, 'select user_id from session where token = $1']);
  const [, address] = await serve.printed(/^listening on (\S+)\n/);
  const [mine, forged] = await Promise.all([
    readEvents(`${address}sse/`, 2, { cookie: `sid=${row!.token}` }),
    readEvents(`${address}sse/`, 1, { cookie: 'sid=no-uuid' }),
  ]);
  await database.query(`select djr.publish(7, 'mine'), djr.publish_global('ours')`);
  t.deepEqual(
    (await mine.events).map(({ type }) => type),
    ['mine', 'ours'],
  );
  t.deepEqual(await forged.events, [{ type: 'ours' }]);

  const { code, err } = await djr(t, [...session, 'select nothing from nowhere']);
  t.is(code, 2);
  t.regex(err, /--session-sql does not run: relation "nowhere" does not exist\./);
});

test('demo brings a database, a chat room and a line for psql; SIGINT ends it all with 0', async (t) => {
  const demo = start(t, ['demo', '--port', '0']);
  const [, url] = await demo.printed(/^The chat room is at (\S+)\n.*\?as=Ann and \S+\?as=Bob\n/);
  const [, database] = await demo.printed(/^database (postgres:\S+)\n/m);
  await demo.printed(/^listening on \S+realtime\/\n/m);
  await demo.printed(/ {2}psql 'postgres:\S+' -c "select djr\.publish_topic\('room:lobby'/);
  t.regex(await (await fetch(url!)).text(), /The djr chat room/);

  const { events } = await readEvents(`${url}realtime/sse/`, 1);
  t.is((await djr(t, ['publish', 'chat_message', '{"name": "djr"}', '--global', '-d', database!])).code, 0);
  t.deepEqual(await events, [{ name: 'djr', type: 'chat_message' }]);
  demo.child.kill('SIGINT');
  t.is((await demo.ended).code, 0);
  t.regex((await djr(t, ['tail', '-d', database!])).err, /No PostgreSQL answers/);
});

test('serve --embedded brings a database of its own, and --config the hooks', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'djr-serve-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  // Started by root, PostgreSQL runs as another user, who has to get in.
  await chmod(folder, 0o711);
  const config = path.join(folder, 'djr.config.mjs');
  await writeFile(config, "export default { basePath: '/live', authenticate: () => 'ann' };");
  const serve = start(t, ['serve', '--embedded', path.join(folder, 'data'), '--port', '0', '--config', config]);
  const [, database] = await serve.printed(/^database (\S+)\n/);
  const [, address] = await serve.printed(/^listening on (\S+\/live\/)\n/m);
  const { events } = await readEvents(`${address}sse/`, 1);
  t.is((await djr(t, ['publish', 'mine', '--user', 'ann', '-d', database!])).code, 0);
  t.deepEqual(await events, [{ type: 'mine' }]);
  serve.child.kill('SIGTERM');
  t.is((await serve.ended).code, 0);
});
