import { connect } from 'node:net';
import test from 'ava';
import { pino } from 'pino';
import { createRealtime } from '../../src/index.js';
import { type Logger, withoutSecrets } from '../../src/lib/logger.js';
import { createDatabase } from '../helpers/database.js';
import { startServer, until } from '../helpers/server.js';

const SECRET = 'hunter2';

/** pino itself, at its lowest level, without any redaction: what djr hands over is what is written. */
function openLogger(): { logger: Logger; text(): string } {
  let written = '';
  const write = (line: string) => {
    written += line;
  };
  const logger = pino({ level: 'trace' }, { write });
  return { logger, text: () => written };
}

test('No detail, private data, token, cookie or password is logged at any level, whatever goes wrong', async (t) => {
  const db = await createDatabase(t);
  const url = new URL(db.url);
  url.password = SECRET;
  const { logger, text } = openLogger();
  const realtime = createRealtime({
    database: db.url,
    logger,
    sweepInterval: 50,
    // Long enough for the login's question to the database on a busy machine.
    hookTimeout: 2000,
    maxClientBytes: 8192,
    writeTimeout: 300,
    shutdownGrace: 1000,
    authenticate: (request) => {
      const token = new URL(request.url).searchParams.get('token');
      // What an app's look-up of a token does: PostgreSQL quotes it.
      if (token) return db.query('select $1::text::int as id', [token]).then(() => 'ada');
      return request.headers.get('cookie') ? 'ada' : null;
    },
    beforeSend: (event) => {
      if (event.type === 'throws') JSON.parse(JSON.stringify(event.detail).slice(1));
      if (event.type === 'hangs') return new Promise(() => {});
      if (event.type === 'rubbish') return event.detail as never;
      return event;
    },
  });
  const server = await startServer(t, realtime);
  await realtime.start();
  const stream = await server.stream('', { headers: { cookie: `sid=${SECRET}` } });
  const refused = await server.stream(`?token=${SECRET}`, { headers: { cookie: SECRET }, early: true });
  await refused.until('an answer', () => refused.status === 401);
  for (const type of ['throws', 'hangs', 'rubbish', 'fine']) {
    await db.query(`select djr.publish('ada', $1, $2, $2)`, [type, { word: SECRET }]);
  }
  await stream.event('fine');
  t.notRegex(JSON.stringify(realtime.health()), new RegExp(SECRET));

  const [row] = await db.query<{ channel: string }>('select djr.channel() as channel');
  for (const garbage of [SECRET, `{"v":1,"${SECRET}`, `{"${SECRET}":1}`]) {
    await db.query('select pg_notify($1, $2)', [row!.channel, garbage]);
  }
  await until('the garbage', () => text().split('not ours').length > 3);
  await t.throwsAsync(realtime.publish({ userId: '7', type: `bad ${SECRET}`, detail: { word: SECRET } }));

  // A client that does not read.
  const slow = connect(Number(new URL(server.origin).port), '127.0.0.1');
  slow.on('error', () => {});
  slow.write(`GET /realtime/sse/?x=${SECRET} HTTP/1.1\r\nHost: a\r\nCookie: sid=${SECRET}\r\n\r\n`);
  slow.pause();
  t.teardown(() => slow.destroy());
  await until('it to be closed', async () => {
    await db.query(
      `select djr.publish_global('big', jsonb_build_object('word', repeat('${SECRET}', 900))) from generate_series(1, 200)`,
    );
    return /does not keep up/.test(text());
  });

  await db
    .query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    )
    .catch(() => {});
  await until('the loss', () => /connection was lost/.test(text()));
  await db.query('alter schema djr rename to gone');
  await until('a sweep that fails', () => /sweep failed/.test(text()));
  await db.query('alter schema gone rename to djr');
  await realtime.stop();
  t.true(/beforeSend failed/.test(text()) && /refused a request/.test(text()));
  t.notRegex(text(), new RegExp(SECRET));

  // Addresses that do not work, with a password in each.
  for (const address of [url.href, `postgres://app:${SECRET}@127.0.0.1:1/none`, `postgres://app:${SECRET}@[bad/none`]) {
    const wrong = openLogger();
    const other = createRealtime({ database: address, logger: wrong.logger, shutdownGrace: 200 });
    void other.start().catch(() => {});
    other.subscribe(() => {});
    await until('an error, or a start', () => wrong.text() !== '', 5).catch(() => {});
    await other.stop();
    t.notRegex(wrong.text(), new RegExp(SECRET), address);
  }
});

test('What is left of an error is name, code, message and stack; texts that quote values are left out', (t) => {
  const cause = Object.assign(new Error(`at postgres://app:${SECRET}@db/app?x=1`), {
    code: '08006',
    detail: SECRET,
    input: SECRET,
    cause: new Error(SECRET),
  });
  const clean = withoutSecrets(cause) as Error & { code: string };
  t.is(clean.message, 'at postgres://app:…@db/app?x=1');
  t.is(clean.code, '08006');
  t.regex(clean.stack!, /^Error: at postgres.*\n {4}at /);
  t.notRegex(JSON.stringify(pino.stdSerializers.err(clean)), new RegExp(SECRET));
  const quoting = Object.assign(new Error(`invalid input syntax: "${SECRET}"`), { code: '22P02' });
  t.regex((withoutSecrets(quoting) as Error).message, /^22P02 /);
  t.notRegex((withoutSecrets(quoting) as Error).stack!, new RegExp(SECRET));
  t.deepEqual(withoutSecrets({ token: SECRET }), { type: 'Object' });
  t.is(withoutSecrets(undefined), undefined);
});
