import test, { type ExecutionContext } from 'ava';
import { parsePosition } from '../../src/event/position.js';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { notingPool } from '../helpers/readings.js';
import { startApp, until } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const numbers = (stream: Stream): unknown[] => stream.events.map(({ data }) => data.n);

const HOUR = 3_600_000;

async function publish(db: TestDatabase, n: number): Promise<number> {
  await db.query("select djr.publish_global('n', jsonb_build_object('n', $1::int))", [n]);
  const [row] = await db.query<{ xid: string }>('select xid::text as xid from djr.event order by id desc limit 1');
  return Number(row!.xid);
}

/** What a page is made of, and where the stream stands then. */
async function read(db: TestDatabase): Promise<{ since: string; page: unknown[] }> {
  const [row] = await db.query(
    "select djr.position() as since, (select jsonb_agg(detail->'n' order by id) from djr.event) as page",
  );
  return { since: encodeURIComponent(row!.since), page: row!.page };
}

/** An instance that hears nothing, as long as `deaf()` has been called and not `deaf(false)`, and sweeps when it is asked to. */
async function unheard(t: ExecutionContext, db: TestDatabase, historyEvents = 100) {
  const proxy = await startProxy(t, db.url);
  const app = await startApp(
    t,
    { database: { listen: proxy.url, pool: db.url }, sweepInterval: HOUR, probeInterval: HOUR, historyEvents },
    db,
  );
  // The first probe is over: nothing is left to be heard.
  await until('it hears', () => app.realtime.health().ok);
  // A sweep that ends when the probe has been heard is the last for an hour. The one before it may still be waiting for its turn:
  // who comes from further on than the instance is has one made at once.
  await db.query('select pg_current_xact_id()');
  const first = await app.stream(`?since=${(await read(db)).since}`);
  await first.until('it has caught up', () => /\n\nid: /.test(first.raw));
  first.close();
  const deaf = (yes = true) => {
    proxy.mode = yes ? 'silent' : 'pass';
  };
  return { app, deaf };
}

test('What a page has read, and onReceive of its instance still holds, does not come to it again', async (t) => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  t.teardown(() => release());
  const holding: unknown[] = [];
  const db = await createDatabase(t);
  const { pool, readings } = notingPool(t, db.url);
  const app = await startApp(
    t,
    {
      database: { listen: db.url, pool },
      sweepInterval: 20,
      hookTimeout: HOUR,
      onReceive: async (event) => {
        holding.push(event.detail.n);
        await held;
        return event;
      },
    },
    db,
  );
  const other = await app.stream();
  await publish(app.db, 1);
  await until('onReceive holds it', () => holding.length === 1);
  const { since, page } = await read(app.db);
  t.deepEqual(page, [1]);
  const stream = await app.stream(`?since=${since}`);
  // That a sweep has read it is not that it was delivered.
  const before = readings.length;
  await until('sweeps go on', () => readings.length >= before + 3);
  t.deepEqual(other.events, []);
  release();
  await publish(app.db, 2);
  await publish(app.db, 3);
  await other.count(3);
  await stream.until('the last', () => numbers(stream).includes(3));
  t.deepEqual(numbers(other), [1, 2, 3]);
  t.deepEqual(numbers(stream), [2, 3]);
});

for (const historyEvents of [100, 0]) {
  test(`What a page has read, and its instance has not heard of, does not come to it again (${historyEvents} in history)`, async (t) => {
    const db = await createDatabase(t);
    const { app, deaf } = await unheard(t, db, historyEvents);
    const other = await app.stream();
    deaf();
    const open = await db.connect();
    await open.query('begin');
    await open.query("select djr.publish_global('n', '{\"n\": 2}')");
    await publish(db, 1);
    const { since, page } = await read(db);
    t.deepEqual(page, [1]);
    await open.query('commit');
    const stream = await app.stream(`?since=${since}`);
    await stream.count(1);
    await other.count(2);
    deaf(false);
    await publish(db, 3);
    await other.count(3);
    await stream.until('the last', () => numbers(stream).includes(3));
    t.deepEqual(numbers(other).sort(), [1, 2, 3]);
    t.deepEqual(numbers(stream), [2, 3]);
  });
}

test('While delivery is sweep, what a page has read does not come to it again, and all else comes once', async (t) => {
  const app = await startApp(t);
  await app.db.query("select djr.configure(delivery => 'sweep')");
  const other = await app.stream();
  for (let n = 1; n <= 40; n += 2) {
    await publish(app.db, n);
    const { since, page } = await read(app.db);
    const stream = await app.stream(`?since=${since}`);
    await publish(app.db, n + 1);
    await stream.until('what came behind it', () => numbers(stream).includes(n + 1));
    t.deepEqual(numbers(stream), [n + 1], `the page has ${page.length}`);
    stream.close();
  }
  await other.count(40);
  t.deepEqual(
    numbers(other),
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
});

test('Who comes from an instance that was ahead does not get again what it got there', async (t) => {
  const db = await createDatabase(t);
  const ahead = await startApp(t, { heartbeat: 100, sweepInterval: 50 }, db);
  const { app, deaf } = await unheard(t, db);
  const other = await app.stream();
  const first = await ahead.stream();
  deaf();
  const xid = await publish(db, 1);
  await first.until('an id that says so', () => parsePosition(first.lastEventId)?.frontier.isNew(xid) === false);
  first.close();
  const again = await app.stream('', { lastEventId: first.lastEventId });
  await other.count(1);
  deaf(false);
  await publish(db, 2);
  await other.count(2);
  await again.until('the last', () => numbers(again).includes(2));
  t.deepEqual(numbers(other), [1, 2]);
  t.deepEqual(numbers(again), [2]);
});

test('A position that no transaction has come to yet keeps nobody waiting', async (t) => {
  const app = await startApp(t, { sweepInterval: HOUR });
  const stream = await app.stream('?since=1000000000:1000000000:');
  await stream.until('a place of its own', () => parsePosition(stream.lastEventId)?.instance !== '0');
  await publish(app.db, 1);
  await stream.count(1);
  t.deepEqual(numbers(stream), [1]);
});

for (const historyEvents of [100, 0]) {
  test(`A page whose position is of another database is told reset, and is live then (${historyEvents} in history)`, async (t) => {
    const app = await startApp(t, { authorizeTopic: () => true, historyEvents });
    await publish(app.db, 1);
    const foreign = '1000000000:1000000000:';
    const whole = await app.stream(`?since=${foreign}`);
    const topic = await app.stream(`?topic=room&since.room=${foreign}`);
    for (const stream of [whole, topic]) {
      const { data } = await stream.event('reset');
      t.is(data.reason, 'the database was replaced or restored');
    }
    await publish(app.db, 2);
    await app.db.query("select djr.publish_topic('room', 'n', '{\"n\": 3}')");
    await topic.count(2);
    await whole.count(1);
    t.deepEqual(numbers(whole), [2]);
    t.deepEqual(numbers(topic), [2, 3]);
  });
}
