import test from 'ava';
import pg from 'pg';
import { until } from '../helpers/server.js';
import { CREATE, publish, range, setUp } from './set-up.js';

test('It gets what was published while nobody ran, in batches, and what is published from then on at once', async (t) => {
  const { db, consume, effects, batches } = await setUp(t);
  await publish(db, ...range(1, 25));
  // Only an announcement wakes it.
  consume(() => {}, { create: CREATE, batch: 10, pollInterval: 2 ** 30 });
  await until('the backlog', async () => (await effects()).length === 25);
  t.deepEqual(batches, [range(1, 10), range(11, 20), range(21, 25)]);
  await publish(db, 26);
  await until('the new one', async () => (await effects()).length === 26);
  t.deepEqual(await effects(), range(1, 26));
});

test('An event is handed over with all that is stored of it', async (t) => {
  const { db, realtime } = await setUp(t);
  await db.query(`select djr.create_consumer('all', 'start')`);
  await db.query(`select djr.publish('42', 'paid', '{"n": 1}', '{"iban": "x"}', key => 'k')`);
  await db.query(`select djr.replay(1)`);
  const seen: unknown[] = [];
  realtime.consume('all', (events, { signal }) => {
    t.false(signal.aborted);
    seen.push(...events);
  });
  await until('both', () => seen.length === 2);
  const [{ created }] = (await db.query('select created_at as created from djr.event where id = 1')) as [
    { created: Date },
  ];
  t.deepEqual(seen[0], {
    id: 1,
    type: 'paid',
    scope: 'user',
    userId: '42',
    topic: null,
    detail: { n: 1 },
    createdAt: created,
    privateData: { iban: 'x' },
    key: 'k',
    replayOf: null,
  });
  t.like(seen[1], { id: 2, replayOf: 1, key: null });
});

test('Of several processes one works at a time, and another goes on when it is gone', async (t) => {
  const one = await setUp(t);
  const two = await setUp(t, one.db);
  let working = 0;
  let most = 0;
  const work = async () => {
    working += 1;
    most = Math.max(most, working);
    await new Promise((resolve) => setTimeout(resolve, 2));
    working -= 1;
  };
  const options = { create: CREATE, batch: 3, pollInterval: 50 };
  one.consume(work, options);
  two.consume(work, options);
  for (let n = 0; n < 20; n += 1) await publish(one.db, ...range(n * 5 + 1, n * 5 + 5));
  await until('half of them', async () => (await one.effects()).length >= 50);
  await one.realtime.stop();
  await publish(one.db, ...range(101, 120));
  await until('all', async () => (await one.effects()).length >= 120);
  t.deepEqual(await one.effects(), range(1, 120));
  t.is(most, 1);
});

test('With share, processes work at the same time, each on events of its own', async (t) => {
  const one = await setUp(t);
  const two = await setUp(t, one.db);
  await publish(one.db, ...range(1, 40));
  let release = () => {};
  const both = new Promise<void>((resolve) => {
    release = resolve;
  });
  let working = 0;
  const work = async () => {
    working += 1;
    if (working === 2) release();
    await both;
  };
  const options = { create: CREATE, batch: 5, share: true };
  one.consume(work, options);
  two.consume(work, options);
  await until('all', async () => (await one.effects()).length >= 40);
  t.deepEqual(await one.effects(), range(1, 40));
  t.true(one.batches.length > 0 && two.batches.length > 0);
});

test('stop waits for the batch that runs, and takes no other', async (t) => {
  const { db, realtime, consume, effects } = await setUp(t);
  await publish(db, 1, 2);
  let begun = () => {};
  const running = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  consume(
    async () => {
      begun();
      await ended;
    },
    { create: CREATE, batch: 1 },
  );
  await running;
  const stopped = realtime.stop();
  end();
  await stopped;
  t.deepEqual(await effects(), [1]);
  t.is((await db.query('select lag from djr.consumer'))[0]!.lag, '1');
});

test('Filters of its own are those it is created with; others of one that is there are a warning', async (t) => {
  const { db, realtime, lines } = await setUp(t);
  const seen: string[] = [];
  const create = { types: ['paid'] };
  const first = realtime.consume('billing', (events) => void seen.push(...events.map(({ type }) => type)), { create });
  await until('the consumer', async () => (await db.query('select from djr.consumer')).length === 1);
  await db.query(`select djr.publish_public('note'), djr.publish_public('paid')`);
  await until('the event', () => seen.length === 1);
  t.deepEqual(seen, ['paid']);
  await first.stop();
  realtime.consume('billing', () => {}, { create: { types: ['note'] } });
  await until('the warning', () => lines.some(({ level, message }) => level === 'warn' && /other types/.test(message)));
});

test('An event that the handler publishes is in the transaction of its batch, and comes behind it', async (t) => {
  const { db, realtime } = await setUp(t);
  await publish(db, 1);
  const seen: number[] = [];
  realtime.consume(
    'billing',
    async (events, { client }) => {
      for (const { detail } of events) {
        seen.push(detail.n);
        if (detail.n < 3)
          await realtime.publish({ scope: 'public', type: 'note', detail: { n: detail.n + 1 } }, { client });
      }
    },
    { create: CREATE },
  );
  await until('the chain', () => seen.length === 3);
  t.deepEqual(seen, [1, 2, 3]);
});

test('A pool of the app whose parsers and isolation are its own works as well', async (t) => {
  const { db } = await setUp(t);
  await db.query(`alter database ${db.name} set default_transaction_isolation = 'serializable'`);
  const pool = new pg.Pool({ connectionString: db.url, max: 2, types: { getTypeParser: () => () => 'mine' } });
  pool.on('error', () => {});
  t.teardown(() => pool.end());
  const { consume, effects } = await setUp(t, db, { database: { listen: db.url, pool } });
  consume();
  await publish(db, 1, 2, 3);
  await until('all', async () => (await effects()).length >= 3);
  t.deepEqual(await effects(), [1, 2, 3]);
});

test('Options that cannot be are refused by name', async (t) => {
  const { realtime } = await setUp(t);
  const refused = (message: RegExp, ...call: unknown[]) =>
    t.throws(() => (realtime.consume as (...args: unknown[]) => unknown)(...call), { code: 'DJR_CONFIG', message });
  const handler = () => {};
  refused(/name of a consumer \(it is ""\)/, '', handler);
  refused(/name of a consumer \(it is undefined\)/);
  refused(/name of a consumer \(it is null\)/, null, handler);
  refused(/name of a consumer \(it is 7\)/, 7, handler);
  refused(/name of a consumer \(it is bigint\)/, 7n, handler);
  refused(/a function for the events \(it is undefined\)/, 'a');
  refused(/a function for the events \(it is object\)/, 'a', { batch: 1 });
  refused(/^Option batch of consume: /, 'a', handler, { batch: 0 });
  refused(/^Option create\.form of consume: there is no such option/, 'a', handler, { create: { form: 'now' } });
  refused(/^Option pollInterval of consume: /, 'a', handler, { pollInterval: 1 });
  refused(/^Option batch of consume: /, 'a', handler, { batch: 1.5 });
  refused(/^Option batch of consume: /, 'a', handler, { batch: '100' });
  refused(/^Option batch of consume: /, 'a', handler, { batch: 10_001 });
  refused(/^Option timeout of consume: /, 'a', handler, { timeout: 0 });
  refused(/^Option timeout of consume: /, 'a', handler, { timeout: Number.POSITIVE_INFINITY });
  refused(/^Option share of consume: /, 'a', handler, { share: 'yes' });
  refused(/^Option mode of consume: there is no such option/, 'a', handler, { mode: 'share' });
  refused(/^Option create of consume: /, 'a', handler, { create: 'start' });
  refused(/^Option create\.types of consume: /, 'a', handler, { create: { types: 'note' } });
  refused(/^Option create\.from of consume: /, 'a', handler, { create: { from: 7 } });
  refused(/^Option options of consume: /, 'a', handler, null);
  refused(/^Option options of consume: /, 'a', handler, 'share');
});

test('Metrics say how far each consumer is; without consumers the database is not asked', async (t) => {
  const { db, realtime, consume } = await setUp(t);
  await realtime.start();
  t.notRegex(await realtime.metrics(), /^djr_consumer\w+\{/m);
  await db.query(`select djr.create_consumer('mail', 'start')`);
  await publish(db, 1, 2);
  consume();
  await until('the figures', async () => {
    const text = await realtime.metrics();
    return (
      text.includes('djr_consumer_lag_events{consumer="mail"} 2') &&
      text.includes('djr_consumer_events_total{consumer="billing"} 2') &&
      /djr_consumer_age_seconds\{consumer="mail"\} [\d.]+/.test(text) &&
      text.includes('djr_consumer_age_seconds{consumer="billing"} 0') &&
      text.includes('djr_consumer_overtaken{consumer="mail"} 0')
    );
  });
  t.pass();
});
