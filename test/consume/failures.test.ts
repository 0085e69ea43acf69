import test from 'ava';
import { roleOf } from '../helpers/role.js';
import { until } from '../helpers/server.js';
import { CREATE, publish, setUp } from './set-up.js';

test('What the handler did is rolled back when it throws, the event that fails is named, and what is behind it waits', async (t) => {
  const { db, consume, effects, lines } = await setUp(t);
  await publish(db, 1, 2, 3, 4);
  let isBroken = true;
  const consumption = consume((numbers) => {
    if (isBroken && numbers.includes(3)) throw new Error('3 is too much');
  });
  await until('the name', () => lines.some(({ message }) => /failed on event 3 \(note\)/.test(message)));
  t.deepEqual(await effects(), [1, 2]);
  const errors = lines.filter(({ level }) => level === 'error');
  t.regex(errors[0]!.message, /^consumer billing failed on events 1 to 4; will try them one by one$/);
  t.like(errors[1]!.context, { consumer: 'billing', event: 3, type: 'note' });
  t.is((errors[1]!.context.err as Error).message, '3 is too much');
  t.is(errors.length, 2);
  isBroken = false;
  await until('all', async () => (await effects()).length === 4);
  t.deepEqual(await effects(), [1, 2, 3, 4]);
  t.true(lines.some(({ level, message }) => level === 'info' && message === 'consumer billing goes on'));
  await consumption.stop();
});

test('A handler that goes on behind a statement that failed commits nothing, and the log says why', async (t) => {
  const { db, realtime, lines } = await setUp(t);
  await publish(db, 1);
  let isBroken = true;
  let handled = 0;
  realtime.consume(
    'billing',
    async (_, { client }) => {
      if (isBroken) await client.query('select from nowhere').catch(() => {});
      else handled += 1;
    },
    { create: CREATE },
  );
  await until('the failure', () => lines.some(({ message }) => /failed on event 1/.test(message)));
  const { err } = lines.find(({ message }) => /failed on event 1/.test(message))!.context as { err: Error };
  t.regex(err.message, /A statement failed in the transaction of the batch/);
  isBroken = false;
  await until('the event again', () => handled === 1);
});

test('A handler that does not end is given up when the runtime has to stop, and its batch comes again', async (t) => {
  const { db, realtime, consume, effects } = await setUp(t, undefined, { shutdownGrace: 300 });
  await publish(db, 1);
  let begun = () => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  consume(() => {
    begun();
    return new Promise(() => {});
  });
  await running;
  await realtime.stop();
  await until('the rollback', async () => (await db.query(`select id from djr.consume('billing')`)).length === 1);
  t.deepEqual(await effects(), []);
});

test('A handler that takes too long is aborted, and the batch comes again', async (t) => {
  const { db, realtime, lines } = await setUp(t);
  await publish(db, 1);
  const reasons: unknown[] = [];
  let attempts = 0;
  realtime.consume(
    'billing',
    (_, { signal }) => {
      attempts += 1;
      if (attempts > 1) return undefined;
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return new Promise(() => {});
    },
    { create: CREATE, timeout: 50 },
  );
  await until('the second attempt', () => attempts === 2);
  t.regex((reasons[0] as Error).message, /did not end within 50 ms/);
  t.true(lines.some(({ message }) => /failed on event 1/.test(message)));
});

test('Where the consumer is missing, overtaken or not granted, it says so once, and goes on by itself when that is mended', async (t) => {
  const { db, consume, effects, lines } = await setUp(t);
  consume(() => {}, { pollInterval: 50 });
  await until('no consumer', () => lines.some(({ message }) => /billing cannot go on.*create_consumer/.test(message)));
  await db.query(`select djr.create_consumer('billing')`);
  await publish(db, 1);
  await until('the first', async () => (await effects()).length === 1);
  await db.query(`begin; select djr.publish_public('note', '{"n": 2}'); commit; delete from djr.event where id > 1`);
  // It may have been faster than the deletion.
  await db.query(`update djr._consumer_place set reason = 'events were deleted', overtaken_at = now(), lost = 1`);
  await until('overtaken', () => lines.some(({ message }) => /cannot go on.*reset_consumer/.test(message)));
  await db.query(`select djr.reset_consumer('billing')`);
  await publish(db, 3);
  await until('the next', async () => (await effects()).includes(3));
  t.is(lines.filter(({ level }) => level === 'error').length, 2);
});

test('A role that was not granted it is told what to grant', async (t) => {
  const { db } = await setUp(t);
  await db.query(`select djr.create_consumer('billing')`);
  const server = await roleOf(t, db, ['grant_server']);
  const { lines, realtime } = await setUp(t, db, { database: server.url });
  let handled = 0;
  realtime.consume('billing', (events) => {
    handled += events.length;
  });
  await until('the hint', () => lines.some(({ message }) => /cannot go on.*djr\.grant_consume/.test(message)));
  await db.query('select djr.grant_consume($1)', [server.role]);
  await publish(db, 1);
  await until('the event', () => handled === 1);
  t.is(lines.filter(({ level, message }) => level === 'error' && /cannot go on/.test(message)).length, 1);
});

test('A connection that is cut in the midst of a batch costs a repetition, and nothing of its effects stays', async (t) => {
  const { db, consume, effects } = await setUp(t);
  await publish(db, 1, 2);
  let cuts = 0;
  consume(async () => {
    if (cuts > 0) return;
    cuts += 1;
    await db.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  await until('all', async () => (await effects()).length >= 2);
  t.deepEqual(await effects(), [1, 2]);
});
