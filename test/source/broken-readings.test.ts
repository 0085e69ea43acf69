import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { startApp, until } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

/** Where 1, 2, 3 … breaks off; -1: nowhere. A difference of 50,000 lines would take minutes to print. */
const outOfPlace = (seen: unknown[]): number => seen.findIndex((n, i) => n !== i + 1);

test('a reading that loses its connection half way is read again, without a repeat', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const seen: unknown[] = [];
  const app = await startApp(
    t,
    {
      database: proxy.url,
      onReceive: (event) => {
        // In the middle of the cursor.
        if (event.detail.n === 10_500) proxy.cut();
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
    "insert into djr.event (scope, type, detail) select 'public', 'note', jsonb_build_object('n', n) from generate_series(1, 12000) n",
  );
  proxy.mode = 'pass';
  await until('all have come', () => seen.includes(12_000));
  await db.query(PUBLISH, [12_001]);
  await until('the last', () => seen.includes(12_001));
  t.is(outOfPlace(seen), -1);
  t.is(seen.length, 12_001);
});

test('a connection that is ended as it becomes ready costs one resume, and not the process', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const options = { database: { listen: db.url, pool: proxy.url }, historyEvents: 0, sweepInterval: 60_000 };
  const app = await startApp(t, options, db);
  const first = await app.stream();
  const { lastEventId } = first;
  for (const n of [1, 2]) await db.query(PUBLISH, [n]);
  await first.count(2);

  proxy.mode = 'terminate';
  proxy.cut();
  const failed = await app.stream('', { lastEventId });
  await failed.end();
  t.deepEqual(failed.events, []);
  proxy.mode = 'pass';
  // The pool may hold more connections that were cut: a browser comes back until it is served.
  let resumed = failed;
  while (resumed.ended) {
    resumed = await app.stream('', { lastEventId: resumed.lastEventId });
    await resumed.until('both events, or an end', () => resumed.ended || resumed.events.length === 2);
  }
  t.deepEqual(numbers(resumed.events), [1, 2]);
});

test('a resume that meets a dead connection reads once more, and its stream goes on', async (t) => {
  const db = await createDatabase(t);
  const proxy = await startProxy(t, db.url);
  const options = { database: { listen: db.url, pool: proxy.url }, historyEvents: 0, sweepInterval: 60_000 };
  const app = await startApp(t, options, db);
  const first = await app.stream();
  const { lastEventId } = first;
  for (const n of [1, 2]) await db.query(PUBLISH, [n]);
  await first.count(2);

  proxy.cut();
  proxy.mode = 'terminate one';
  const resumed = await app.stream('', { lastEventId });
  t.deepEqual(numbers(await resumed.count(2)), [1, 2]);
  t.not(proxy.mode, 'terminate one', 'no dead connection was met');
  t.false(resumed.ended);
});

test('behind a sweep that failed, events come long before the next one would be due', async (t) => {
  const db = await createDatabase(t);
  const app = await startApp(t, { sweepInterval: 3_600_000 }, db);
  const stream = await app.stream();
  await db.query('alter table djr.event rename to hidden');
  await db.query(`select pg_notify(djr.channel(), '{"doorbell":"sweep"}')`);
  await until('a sweep that fails', () => app.lines.some(({ message }) => message.startsWith('a sweep failed')));
  await db.query('alter table djr.hidden rename to event');
  await db.query(PUBLISH, [1]);
  t.deepEqual(numbers(await stream.count(1)), [1]);
});
