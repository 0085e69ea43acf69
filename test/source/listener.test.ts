import test from 'ava';
import { createRealtime, DjrError } from '../../src/index.js';
import { migrate } from '../../src/install/migrate.js';
import { createDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { recordingLogger, startApp, startServer, until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int))";

test('what is published while the listener is cut off comes, once and in order', async (t) => {
  // No sweep but those of the reconnects: what is heard while one of them runs must not be left to the next.
  const app = await startApp(t, { sweepInterval: 3_600_000 });
  const stream = await app.stream();
  for (const n of range(1, 400)) {
    if (n % 40 === 0) {
      const listener = "query ilike 'listen%' or query like '%pg_notify%' or query like '%djr.channel()%'";
      await app.db.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = $1 and application_name = 'djr' and (${listener})`,
        [app.db.name],
      );
    }
    await app.db.query(PUBLISH, [n]);
  }
  t.deepEqual(numbers(await stream.count(400)), range(1, 400));
});

test('after a reconnect the fast lane opens behind the first sweep: what was missed comes before what is new', async (t) => {
  const db = await createDatabase(t);
  const listen = await startProxy(t, db.url);
  const pool = await startProxy(t, db.url);
  // Nothing but the reconnect makes a sweep.
  const app = await startApp(t, { database: { listen: listen.url, pool: pool.url }, sweepInterval: 3_600_000 }, db);
  const stream = await app.stream();

  listen.mode = 'refuse';
  pool.mode = 'refuse';
  listen.cut();
  pool.cut();
  await until('the listener is lost', () => !app.realtime.health().ok);
  await db.query(PUBLISH, [1]);
  // The listener is back before a sweep can be.
  listen.mode = 'pass';
  await until(
    'the listener is back',
    () => !app.realtime.health().problems.includes('the listening connection is lost'),
  );
  await db.query(PUBLISH, [2]);
  // A probe and a doorbell go the way that the events went: when the doorbell is served, NOTIFY 2 was there before.
  pool.mode = 'pass';
  await db.query("select djr.configure(retention => '1 day')");
  await stream.count(2);
  await db.query(PUBLISH, [3]);
  t.deepEqual(numbers(await stream.count(3)), [1, 2, 3]);
});

test('a pooler that swallows NOTIFY is reported, and events come by sweeping', async (t) => {
  const db = await createDatabase(t);
  const pooler = await startProxy(t, db.url, 'swallow');
  const app = await startApp(t, { database: pooler.url, probeInterval: 100, sweepInterval: 100 }, db);
  const stream = await app.stream();
  await db.query(PUBLISH, [1]);
  t.deepEqual(numbers(await stream.count(1)), [1]);
  await until('health warns', () => app.realtime.health().warnings.length > 0);
  t.regex(app.realtime.health().warnings[0]!, /pooler/);
  t.true(app.realtime.health().ok);
  t.is(app.lines.filter(({ message }) => message.startsWith('LISTEN is not heard')).length, 1);
});

test('a listening connection that is cut in silence is noticed by its probe and made anew', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const app = await startApp(
    t,
    { database: { listen: proxy.url, pool: db.url }, probeInterval: 100, sweepInterval: 60_000 },
    db,
  );
  const stream = await app.stream();
  proxy.mode = 'silent';
  await db.query(PUBLISH, [1]);
  await until('the runtime has noticed', () => app.lines.some(({ message }) => message.includes('was lost')));
  proxy.mode = 'pass';
  proxy.cut();
  t.deepEqual(numbers(await stream.count(1)), [1]);
  await until('it listens again', () => app.realtime.health().ok);
  await db.query(PUBLISH, [2]);
  t.deepEqual(numbers(await stream.count(2)), [1, 2]);
});

test('with every connection cut in silence, sweeps give up on theirs and go on', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const app = await startApp(t, { database: proxy.url, probeInterval: 100, sweepInterval: 50 }, db);
  const stream = await app.stream();
  proxy.mode = 'silent';
  await db.query(PUBLISH, [1]);
  const failed = () => app.lines.some(({ message }) => message.startsWith('a sweep failed'));
  await until('a sweep has given up', failed);
  // The old connections stay silent for ever; new ones work.
  proxy.mode = 'pass';
  await stream.until('the event', () => stream.events.length === 1);
  t.deepEqual(numbers(stream.events), [1]);
});

test('garbage and forgeries on the channel are counted, logged and dropped', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const [row] = await app.db.query<{ channel: string }>('select djr.channel() as channel');
  const now = Date.now();
  const forgeries = [
    'garbage',
    '',
    '[]\t{}',
    '{"probe":"forged"}',
    `[1,"3","public",null,"connected\\r\\nid: 7",${now}]\t{}`,
    `[1,"3","user",null,"note",${now}]\t{"n":0}`,
    `[1,"3","public",null,"note",${now}]\t[1]`,
    `[1,"-3","public",null,"note",${now}]\t{"n":0}`,
    `[1.5,"3","public",null,"note",${now}]\t{"n":0}`,
    `[1,"3","public",null,"note",${now}]\t{"n":\r0}`,
  ];
  for (const forgery of forgeries) await app.db.query('select pg_notify($1, $2)', [row!.channel, forgery]);
  await app.db.query(PUBLISH, [1]);
  t.deepEqual(numbers(await stream.count(1)), [1]);
  const dropped = app.lines.filter(({ message }) => message.startsWith('dropped a message'));
  // An empty payload and an unknown probe say nothing; the rest is said.
  t.true(dropped.length >= forgeries.length - 2, `${dropped.length} of ${forgeries.length}`);
  t.is(dropped.at(-1)!.context.count, dropped.length);
});

test('What a later version says behind the six fields of a header is not looked at', async (t) => {
  const app = await startApp(t, { sweepInterval: 60_000 });
  const stream = await app.stream();
  const [row] = await app.db.query<{ channel: string }>('select djr.channel() as channel');
  const more = [null, 'topic', 7, { key: 'value' }, ['a', 'b']];
  for (let fields = 0; fields <= more.length; fields += 1) {
    const header = [1000 + fields, null, 'public', null, 'note', Date.now(), ...more.slice(0, fields)];
    await app.db.query('select pg_notify($1, $2)', [row!.channel, `${JSON.stringify(header)}\t{"n":${fields}}`]);
  }
  t.deepEqual(numbers(await stream.count(more.length + 1)), [0, 1, 2, 3, 4, 5]);
  await app.db.query('select pg_notify($1, $2)', [row!.channel, '[1,null,"public",null,"note"]\t{}']);
  await until('five fields to be garbage', () => app.lines.some(({ message }) => /not ours/.test(message)));
});

test('start() names what is missing, and works once it is there', async (t) => {
  const db = await createDatabase(t, { template: null });
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: db.url, logger });
  const server = await startServer(t, realtime);
  const missing = await t.throwsAsync(realtime.start(), { instanceOf: DjrError, code: 'DJR_SCHEMA' });
  t.regex(missing.hint!, /djr migrate/);
  await migrate(db.url);
  await realtime.start();
  const stream = await server.stream();
  await db.query(PUBLISH, [1]);
  t.is((await stream.count(1)).length, 1);
});

test('start() refuses a schema that is older than this version', async (t) => {
  const db = await createDatabase(t);
  await db.query("update djr.migrations set name = '000000-older'");
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: db.url, logger });
  t.teardown(() => realtime.stop());
  const older = await t.throwsAsync(realtime.start(), { instanceOf: DjrError, code: 'DJR_SCHEMA' });
  t.regex(older.hint!, /djr migrate/);
});

test('start() gives up on a wrong password', async (t) => {
  const db = await createDatabase(t);
  const url = new URL(db.url);
  url.password = 'wrong';
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: url.href, logger });
  t.teardown(() => realtime.stop());
  await t.throwsAsync(realtime.start(), { code: '28P01' });
});

test('start() waits for a database that is not there yet, and stop() ends the waiting', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url, 'refuse');
  const { logger, lines } = recordingLogger();
  const realtime = createRealtime({ database: proxy.url, logger });
  const server = await startServer(t, realtime);
  const started = realtime.start();
  await until('it has failed to connect', () => lines.some(({ level }) => level === 'error'));
  t.false(realtime.health().ok);
  proxy.mode = 'pass';
  await started;
  const stream = await openStream(t, `${server.origin}/realtime/sse/`);
  await db.query(PUBLISH, [1]);
  t.is((await stream.count(1)).length, 1);

  const never = createRealtime({ database: (await startProxy(t, db.url, 'refuse')).url, logger });
  const waiting = never.start();
  await Promise.all([t.throwsAsync(waiting, { code: 'DJR_STOPPED' }), never.stop()]);
});

test('start() goes on when the database goes away between LISTEN and the first reading, and stop() ends the waiting', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url, 'refuse');
  const { logger, lines } = recordingLogger();
  const database = { listen: db.url, pool: proxy.url };
  const realtime = createRealtime({ database, logger });
  const server = await startServer(t, realtime);
  const started = realtime.start();
  const failed = () => lines.filter(({ message }) => message.startsWith('cannot read the latest events')).length;
  await until('the first reading has failed', () => failed() > 0);
  const never = createRealtime({ database, logger });
  const waiting = never.start();
  const before = failed();
  await until('the other one has failed, too', () => failed() > before);
  await Promise.all([t.throwsAsync(waiting, { code: 'DJR_STOPPED' }), never.stop()]);

  proxy.mode = 'pass';
  await started;
  const stream = await openStream(t, `${server.origin}/realtime/sse/`);
  await db.query(PUBLISH, [1]);
  t.deepEqual(numbers(await stream.count(1)), [1]);
});

test('an outage of many attempts is a few lines in the log, and its end is one', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const app = await startApp(t, { database: proxy.url, sweepInterval: 20 }, db);
  const stream = await app.stream();
  await db.query(PUBLISH, [1]);
  await stream.count(1);
  proxy.mode = 'refuse';
  proxy.cut();
  await db.query(PUBLISH, [2]);
  const lines = (pattern: RegExp) => app.lines.filter(({ message }) => pattern.test(message)).length;
  await until('many attempts', () => lines(/^cannot listen/) > 3 && lines(/^a sweep failed/) > 10);
  t.is((await fetch(`${app.origin}/realtime/healthz`)).status, 503);
  proxy.mode = 'pass';
  await db.query(PUBLISH, [3]);
  t.deepEqual(numbers(await stream.count(3)), [1, 2, 3]);
  await until('health is well again', () => app.realtime.health().ok);
  await until('the end in the log', () => lines(/^(listening again|sweeps work again)/) === 2);
  const loud = app.lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message);
  // What a refusal looks like depends on when it meets a connection: two or three kinds of error for each.
  t.true(proxy.refused > 13 && loud.length <= 8, loud.join('\n'));
});

test('a listening connection that ends as soon as it is made is made anew after longer and longer pauses', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const app = await startApp(t, { database: { listen: proxy.url, pool: db.url }, sweepInterval: 100 }, db);
  const stream = await app.stream();
  proxy.mode = 'terminate listeners';
  proxy.cut();
  const losses = () => app.lines.filter(({ message }) => /^the listening connection was lost/.test(message));
  await until('some losses', () => losses().length > 2);
  await db.query(PUBLISH, [1]);
  t.deepEqual(numbers(await stream.count(1)), [1]);
  proxy.mode = 'pass';
  // Each adds one, and with each the pause doubles.
  const failures = losses().map(({ context }) => Number(context.failures));
  t.true(
    failures.every((count, i) => i === 0 || count > failures[i - 1]!),
    failures.join(),
  );
  await until('it listens again', () => app.lines.some(({ message }) => message === 'listening again'));
  await db.query(PUBLISH, [2]);
  t.deepEqual(numbers(await stream.count(2)), [1, 2]);
});

test('a listener follows its channel to another name', async (t) => {
  const app = await startApp(t, { sweepInterval: 3_600_000 });
  const stream = await app.stream();
  await app.db.query('select djr.configure(channel => $1)', ['djr_"another" name']);
  for (const n of [1, 2, 3]) {
    await app.db.query(PUBLISH, [n]);
    t.deepEqual(numbers(await stream.count(n)), range(1, n));
  }
});
