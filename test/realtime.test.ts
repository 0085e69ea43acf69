import test from 'ava';
import { createRealtime, DjrError, type Realtime } from '../src/index.js';
import { migrate } from '../src/install/migrate.js';
import { createDatabase } from './helpers/database.js';
import { byHeader, recordingLogger, startApp, startServer, until } from './helpers/server.js';

test('A subscription alone connects to the database', async (t) => {
  const db = await createDatabase(t);
  const realtime = createRealtime({ database: db.url });
  t.teardown(() => realtime.stop());
  const seen: string[] = [];
  realtime.subscribe('x', (event) => seen.push(event.type));
  await until('the listener', () => realtime.health().ok);
  await db.query("select djr.publish_global('x')");
  await until('the event', () => seen.length === 1);
  t.deepEqual(seen, ['x']);
});

test('A publisher needs no listener', async (t) => {
  const db = await createDatabase(t);
  const realtime = createRealtime({ database: db.url });
  t.teardown(() => realtime.stop());
  const id = await realtime.publish({ type: 'x', userId: 5, detail: { n: 1 }, privateData: { p: 1 }, key: 'k' });
  t.deepEqual(await db.query('select id::int, scope, user_id, detail, private_data, key from djr.event'), [
    { id, scope: 'user', user_id: '5', detail: { n: 1 }, private_data: { p: 1 }, key: 'k' },
  ]);
  t.false(realtime.health().ok, 'it does not listen');
  t.is(await realtime.publish({ type: 'x', userId: 5, key: 'k' }), id);
});

test('What SQL refuses is a DjrError with the SQLSTATE, and a hint', async (t) => {
  const app = await startApp(t);
  const refused: [publication: Parameters<Realtime['publish']>[0], message: RegExp][] = [
    [{ scope: 'public', type: 'two words' }, /type/i],
    [{ scope: 'public', type: 'connected' }, /themselves.*"connected"/i],
    [{ userId: 'u'.repeat(256), type: 'x' }, /user/i],
    [{ scope: 'public', type: 'x', detail: [] as never }, /object/i],
    [{ scope: 'public', type: 'x', detail: { text: 'x'.repeat(8000) } }, /bytes/i],
  ];
  for (const [publication, message] of refused) {
    const error = await t.throwsAsync(app.realtime.publish(publication), { instanceOf: DjrError });
    t.regex(error.code, /^DJR\d\d$/);
    t.regex(`${error.message} ${error.detail}`, message);
    t.truthy(error.hint);
  }
  t.deepEqual(await app.db.query('select 1 from djr.event'), []);
});

test('start() refuses a database without the schema, and works once it is there', async (t) => {
  const db = await createDatabase(t, { template: null });
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: db.url, authenticate: byHeader, logger });
  const server = await startServer(t, realtime);
  const error = await t.throwsAsync(realtime.start(), { instanceOf: DjrError });
  t.is(error.code, 'DJR_SCHEMA');
  t.regex(error.hint!, /djr migrate/);
  const refused = await fetch(`${server.origin}/realtime/sse/`);
  t.is(refused.status, 503);
  await refused.body!.cancel();
  t.is((await fetch(`${server.origin}/realtime/healthz`)).status, 503);

  await migrate(db.url);
  const stream = await server.stream();
  t.is(stream.status, 200);
  await realtime.publish({ scope: 'public', type: 'x' });
  await stream.event('x');
  await realtime.start();
});

test('start() says at once what no retry would mend', async (t) => {
  const db = await createDatabase(t);
  const url = new URL(db.url);
  url.pathname = '/there_is_none';
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: url.href, logger });
  t.teardown(() => realtime.stop());
  const error = await t.throwsAsync(realtime.start());
  t.is((error as Error & { code: string }).code, '3D000');
});

test('Stopped is stopped: start and publish say so, and before a start it does no harm', async (t) => {
  const db = await createDatabase(t);
  const never = createRealtime({ database: db.url });
  await never.stop();
  await t.throwsAsync(never.start(), { instanceOf: DjrError, code: 'DJR_STOPPED' });

  const realtime = createRealtime({ database: db.url });
  await realtime.start();
  await realtime.stop();
  await t.throwsAsync(realtime.start(), { instanceOf: DjrError, code: 'DJR_STOPPED' });
  await t.throwsAsync(realtime.publish({ scope: 'public', type: 'x' }), { instanceOf: DjrError, code: 'DJR_STOPPED' });
});

test('stop() while it starts ends both', async (t) => {
  const db = await createDatabase(t);
  const realtime = createRealtime({ database: db.url, shutdownGrace: 5000 });
  const starting = realtime.start().then(
    () => 'started',
    (error: unknown) => (error as DjrError).code,
  );
  await realtime.stop();
  t.true(['started', 'DJR_STOPPED'].includes(await starting));
  const [row] = await db.query(
    "select count(*)::int as open from pg_stat_activity where application_name = 'djr' and datname = current_database()",
  );
  t.is(row!.open, 0);
});

test('A pool of the app stays the app’s: it works on after stop()', async (t) => {
  const db = await createDatabase(t);
  const realtime = createRealtime({ database: { listen: db.url, pool: db.pool } });
  await realtime.start();
  await realtime.publish({ scope: 'public', type: 'x' });
  await realtime.stop();
  t.is((await db.pool.query('select 1 as one')).rows[0].one, 1);
});

test('Two instances deliver the same events, each once', async (t) => {
  const app = await startApp(t);
  const other = await startApp(t, {}, app.db);
  const streams = [await app.streamOf('alice'), await other.streamOf('alice')];
  for (let n = 0; n < 10; n += 1)
    await (n % 2 ? app : other).realtime.publish({ type: 'n', userId: 'alice', detail: { n } });
  await app.realtime.publish({ scope: 'public', type: 'end' });
  for (const stream of streams) {
    await stream.event('end');
    t.deepEqual(
      stream.events.map(({ data }) => data.n),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, undefined],
    );
  }
});

test('The script tag loads the client with its options, escaped', (t) => {
  const realtime = createRealtime({ basePath: '/live/' });
  t.is(
    realtime.scriptTag(),
    '<script src="/live/djr.js" data-endpoint="/live/sse/" data-auto-connect="true" defer></script>',
  );
  const tag = realtime.scriptTag({ endpoint: '/x?a="&b=<', autoConnect: false, since: '1:2:', nonce: 'n' });
  t.regex(tag, /data-endpoint="\/x\?a=&#34;&#38;b=&#60;"/);
  t.regex(tag, /data-auto-connect="false"/);
  t.regex(tag, /data-since="1:2:"/);
  t.regex(tag, /nonce="n"/);
});

test('No log line holds a detail, private data or a token', async (t) => {
  const app = await startApp(t, {
    authenticate: (request) => {
      if (new URL(request.url).searchParams.get('token') === 'secret-token-1') throw new Error('no');
      return null;
    },
    onReceive: () => {
      throw new Error('broken');
    },
  });
  await app.stream('?token=secret-token-1');
  await app.realtime.publish({
    scope: 'public',
    type: 'x',
    detail: { text: 'secret-detail' },
    privateData: 'secret-private',
  });
  const [row] = await app.db.query('select djr.channel() as channel');
  await app.db.query('select pg_notify($1, $2)', [row!.channel, '[1,"5","public",null,"x",1]\tsecret-x']);
  await until(
    'both are logged',
    () => app.lines.filter(({ level }) => level === 'warn' || level === 'error').length >= 2,
  );
  const text = app.lines.map(({ message, context }) => {
    const { err } = context as { err?: Error };
    return `${message} ${JSON.stringify(context)} ${err?.message} ${err?.stack}`;
  });
  t.false(text.join('\n').includes('secret-'));
});

test('Garbage on the channel is dropped and logged, and events go on', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const [row] = await app.db.query('select djr.channel() as channel');
  const forged = [
    '',
    'x',
    '{',
    '{"x": 1}',
    '[]\t{}',
    'null\tnull',
    '[1,"5","public",null,"a\\nb",1]\t{}',
    '[1,null,"user",null,"x",1]\t{}',
  ];
  for (const payload of forged) await app.db.query('select pg_notify($1, $2)', [row!.channel, payload]);
  await app.realtime.publish({ scope: 'public', type: 'x' });
  await stream.event('x');
  t.deepEqual(stream.types, ['x']);
  await until('a warning for each', () => app.lines.filter(({ level }) => level === 'warn').length === forged.length);
});
