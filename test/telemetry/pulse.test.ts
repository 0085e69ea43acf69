import test from 'ava';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { recordingLogger, startApp, until } from '../helpers/server.js';

test('An instance is in djr.instance while it runs, with what it does, and no more once it has stopped', async (t) => {
  const { db, realtime, streamOf } = await startApp(t);
  const stream = await streamOf('ada');
  const rows = () => db.query('select * from djr.instance');
  await until('its row', async () => (await rows()).length === 1);
  const [first] = await rows();
  t.true(first!.seen_at >= first!.started_at);
  t.regex(first!.host, new RegExp(` ${process.pid}$`));
  t.regex(first!.version, /^\d+\.\d+\.\d+/);

  await db.query("select djr.publish('ada', 'note')");
  await stream.event('note');
  await until('what it has done', async () => (await rows())[0]!.deliveries === '1');
  const [then] = await rows();
  t.like(then, { name: first!.name, started_at: first!.started_at, connections: 1, events: '1', errors: '0' });
  t.true(then!.lag_ms >= 0);
  await realtime.stop();
  t.deepEqual(await rows(), []);
});

test('An instance that may not say that it is there delivers all the same', async (t) => {
  const db = await createDatabase(t);
  await db.query(
    'alter function djr.report_instance(text, interval, int, int8, int8, int8, float4, text, text) rename to x',
  );
  const { lines, streamOf } = await startApp(t, {}, db);
  const stream = await streamOf('ada');
  await until('its failure', () =>
    lines.some(({ level, message }) => level === 'debug' && /djr\.instance/.test(message)),
  );
  await db.query("select djr.publish('ada', 'note')");
  await stream.event('note');
  t.false(lines.some(({ level }) => level === 'warn' || level === 'error'));
});

test('A row that somebody holds locked holds up neither delivery nor stop', async (t) => {
  const { db, realtime, streamOf } = await startApp(t);
  await until('its row', async () => (await db.query('select from djr.instance')).length === 1);
  const holder = await db.connect();
  await holder.query('begin; lock table djr.instance');
  const stream = await streamOf('ada');
  await db.query("select djr.publish('ada', 'note')");
  await stream.event('note');
  await realtime.stop();
  await holder.query('rollback');
  t.is((await db.query('select from djr.instance')).length, 1);
});

test('Without a database an instance that is told to stop does', async (t) => {
  const { logger } = recordingLogger();
  const realtime = createRealtime({ database: 'postgres://nobody@127.0.0.1:1/none', logger, shutdownGrace: 500 });
  void realtime.start().catch(() => {});
  await realtime.stop();
  t.false(realtime.health().ok);
});
