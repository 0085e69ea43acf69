import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { parsePosition } from '../../src/event/position.js';
import { createDatabase, databaseUrl } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { notingPool, rowsRead } from '../helpers/readings.js';
import { startApp, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

/** Where 1, 2, 3 … breaks off; -1: nowhere. A difference of 50,000 lines would take minutes to print. */
const outOfPlace = (seen: unknown[]): number => seen.findIndex((n, i) => n !== i + 1);

test('after a long absence 50,000 events are swept in batches, once and in order', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const seen: unknown[] = [];
  let together = 0;
  let most = 0;
  const app = await startApp(
    t,
    {
      database: proxy.url,
      historyEvents: 100,
      // Answers late: what has been read and not delivered is what a batch holds.
      onReceive: async (event) => {
        together += 1;
        most = Math.max(most, together);
        await Promise.resolve();
        together -= 1;
        return event;
      },
    },
    db,
  );
  app.realtime.subscribe((event) => seen.push(event.detail.n));
  proxy.mode = 'refuse';
  proxy.cut();
  await until('the runtime is cut off', () => !app.realtime.health().ok);
  await db.query(
    "insert into djr.event (scope, type, detail) select 'public', 'note', jsonb_build_object('n', n) from generate_series(1, 50000) n",
  );
  const before = process.memoryUsage().heapUsed;
  proxy.mode = 'pass';
  await until('all have come', () => seen.length >= 50_000);
  t.is(outOfPlace(seen), -1);
  t.is(seen.length, 50_000);
  t.is(most, 1);
  // 50,000 rows at once are some 60 MB; batches of 1,000 and 10,000 waiting are a few.
  t.log(`heap grew by ${Math.round((process.memoryUsage().heapUsed - before) / 1e6)} MB`);
});

/** A transaction that writes and stays open; the event that it published, when it has. */
async function open(t: ExecutionContext, url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  t.teardown(() => client.end().catch(() => {}));
  await client.query('begin');
  await client.query('select pg_current_xact_id()');
  return client;
}

test('a writing transaction left open, here or in another database, makes no sweep dearer; its event comes when it commits', async (t) => {
  const db = await createDatabase(t);
  const late = await open(t, db.url);
  const elsewhere = await open(t, databaseUrl('postgres'));
  await late.query(PUBLISH, [0]);
  const { pool, readings } = notingPool(t, db.url);
  const app = await startApp(t, { database: { listen: db.url, pool }, sweepInterval: 20 }, db);
  const stream = await app.stream();
  await db.query(
    "insert into djr.event (scope, type, detail) select 'public', 'bulk', '{}' from generate_series(1, 20000)",
  );
  await stream.count(20_000);
  await db.query('analyze djr.event');
  await db.query('vacuum djr.event');
  const [snapshot] = await db.query<{ xmin: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as xmin');
  const { rows } = await late.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  t.true(Number(snapshot!.xmin) <= Number(rows[0]!.xid), 'no transaction holds the snapshot back');
  await until('a sweep that reads nothing', async () => (await rowsRead(db, readings.at(-1)!)) === 0);

  await late.query('commit');
  await stream.event('note');
  await elsewhere.query('commit');
  await db.query(PUBLISH, [1]);
  await stream.until('the last', () => numbers(stream.events).includes(1));
  t.deepEqual(
    numbers(stream.events).filter((n) => n !== undefined),
    [0, 1],
  );
});

test('a writing transaction left open, here or in another database, makes no resume dearer: it reads what was missed', async (t) => {
  const db = await createDatabase(t);
  const late = await open(t, db.url);
  await open(t, databaseUrl('postgres'));
  await late.query(PUBLISH, [0]);
  const first = await startApp(t, { sweepInterval: 50, heartbeat: 100 }, db);
  const stream = await first.stream();
  await db.query(
    "insert into djr.event (scope, type, detail) select 'public', 'bulk', '{}' from generate_series(1, 2000)",
  );
  await stream.count(2000);
  await db.query('vacuum analyze djr.event');
  const { rows } = await late.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  const [bulk] = await db.query<{ xid: string }>("select xid::text as xid from djr.event where type = 'bulk' limit 1");
  const frontier = () => parsePosition(stream.lastEventId)!.frontier;
  await stream.until('an id behind all of it', () => !frontier().isNew(Number(bulk!.xid)));
  t.true(frontier().xmin <= Number(rows[0]!.xid), 'no transaction holds the snapshot back');
  const lastEventId = stream.lastEventId;
  stream.close();
  for (const n of [1, 2, 3]) await db.query(PUBLISH, [n]);

  const { pool, readings } = notingPool(t, db.url);
  const forgets = await startApp(
    t,
    { database: { listen: db.url, pool }, sweepInterval: 3_600_000, historyEvents: 0 },
    db,
  );
  const before = readings.length;
  // Some have a reading of their own, some share one.
  const all = await Promise.all(Array.from({ length: 12 }, () => forgets.stream('', { lastEventId })));
  for (const one of all) {
    await one.until('the last', () => numbers(one.events).includes(3));
    t.is(one.events.length, 3);
    t.deepEqual(one.resets, []);
  }
  t.true(readings.length > before);
  for (const reading of readings.slice(before)) t.true((await rowsRead(db, reading)) <= 3, reading.text);
});

test('what commits late, behind higher ids, is not lost to who resumes: from memory and from storage', async (t) => {
  const first = await startApp(t, { sweepInterval: 50, heartbeat: 100 });
  const { db } = first;
  const remembers = await startApp(t, { sweepInterval: 50 }, db);
  const forgets = await startApp(t, { sweepInterval: 50, historyEvents: 0 }, db);
  const late = await open(t, db.url);
  await late.query(PUBLISH, [1]);

  const { rows } = await late.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  const stream = await first.stream();
  // The id that the client comes back with has the late one among those in progress, below its highest.
  const frontier = () => parsePosition(stream.lastEventId)!.frontier;
  await stream.until('a frontier that knows of it', () => frontier().inProgress.includes(Number(rows[0]!.xid)));
  await db.query(PUBLISH, [2]);
  const lastEventId = (await stream.count(1))[0]!.id!;
  stream.close();
  await late.query('commit');
  await db.query(PUBLISH, [3]);

  for (const app of [first, remembers, forgets]) {
    const resumed = await app.stream('', { lastEventId });
    await resumed.until('the late one and the last', () => [1, 3].every((n) => numbers(resumed.events).includes(n)));
    t.deepEqual(resumed.resets, []);
    // Of the same instance nothing comes twice.
    if (app === first) t.deepEqual(numbers(resumed.events), [1, 3]);
  }
});

test('an instance started after the absence resumes from storage, for the right user only', async (t) => {
  const first = await startApp(t);
  const { db } = first;
  const stream = await first.streamOf('42');
  await db.query("select djr.publish('42', 'note', '{\"n\": 1}')");
  const lastEventId = (await stream.count(1))[0]!.id!;
  stream.close();
  await first.realtime.stop();
  await db.query("select djr.publish('42', 'note', '{\"n\": 2}'), djr.publish('43', 'note', '{\"n\": 3}')");
  await db.query("select djr.publish_system('note', '{\"n\": 4}', '42')");
  await db.query(PUBLISH, [5]);

  for (const historyEvents of [1000, 0]) {
    const second = await startApp(t, { historyEvents }, db);
    const resumed = await second.streamOf('42', '', { lastEventId });
    await resumed.count(2);
    await db.query(PUBLISH, [6]);
    await resumed.until('the live one', () => numbers(resumed.events).includes(6));
    const got = numbers(resumed.events).filter((n) => n !== 1);
    t.deepEqual(got.slice(0, 2), [2, 5]);
    t.deepEqual(resumed.resets, []);
  }
});

test('an id promises no event that onReceive still holds', async (t) => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  t.teardown(() => release());
  const slow = await startApp(t, {
    heartbeat: 100,
    sweepInterval: 20,
    hookTimeout: 60_000,
    onReceive: async (event) => {
      await held;
      return event;
    },
  });
  const other = await startApp(t, { historyEvents: 0 }, slow.db);
  const stream = await slow.stream();
  await slow.db.query(PUBLISH, [1]);
  // Sweeps go on meanwhile, and each heartbeat carries how far the stream has come.
  await stream.until('some heartbeats', () => stream.comments.length >= 8);
  t.deepEqual(stream.events, []);
  const resumed = await other.stream('', { lastEventId: stream.lastEventId });
  t.deepEqual(numbers(await resumed.count(1)), [1]);
});

test('a heartbeat promises a client nothing that beforeSend still holds', async (t) => {
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  t.teardown(() => release());
  const app = await startApp(t, {
    heartbeat: 100,
    sweepInterval: 20,
    hookTimeout: 60_000,
    beforeSend: async (event, client) => {
      if (client.userId === 'held') await held;
      return event;
    },
  });
  const stream = await app.streamOf('held');
  await app.db.query(PUBLISH, [1]);
  await stream.until('some heartbeats', () => stream.comments.length >= 8);
  const resumed = await app.streamOf('free', '', { lastEventId: stream.lastEventId });
  t.deepEqual(numbers(await resumed.count(1)), [1]);
});
