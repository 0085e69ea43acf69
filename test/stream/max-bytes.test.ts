import test from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { rawClient } from '../helpers/raw-client.js';
import { startApp, type TestApp, until } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const MIB = 1_048_576;
/** Nearly the largest that there may be. */
const LARGE = MIB - 500;

/** A database in which events may have a MiB. */
async function roomy(t: Parameters<typeof createDatabase>[0]): Promise<TestDatabase> {
  const db = await createDatabase(t);
  await db.query('select djr.configure(max_bytes => $1)', [MIB]);
  return db;
}

const publish = (db: TestDatabase, n: number, bytes = 1, userId = 'ann') =>
  db.query(`select djr.publish($1::text, 'n', jsonb_build_object('n', $2::int, 'pad', repeat('x', $3)))`, [
    userId,
    n,
    bytes,
  ]);

const numbers = (stream: Stream) => stream.events.map(({ data }) => data.n);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const slow = (app: TestApp) => app.lines.filter(({ context }) => context.reason === 'slow');

for (const delivery of ['notify', 'sweep', 'auto'] as const) {
  test(`Large events come whole and in order with the small ones around them, delivery ${delivery}`, async (t) => {
    const db = await roomy(t);
    await db.query('select djr.configure(delivery => $1)', [delivery]);
    const app = await startApp(t, {}, db);
    const stream = await app.streamOf('ann');
    const named = await app.streamOf('ann', '?named=1');
    for (let n = 1; n <= 12; n += 1) await publish(db, n, n % 3 === 0 ? LARGE : 1);
    for (const each of [stream, named]) {
      await each.count(12);
      t.deepEqual(numbers(each), upTo(12));
      t.deepEqual(
        each.events.map(({ data }) => (data.pad as string).length),
        upTo(12).map((n) => (n % 3 === 0 ? LARGE : 1)),
      );
    }
    t.deepEqual(await db.query('select count(distinct id) from djr.event'), [{ count: '12' }]);
  });
}

for (const hooks of ['without a hook', 'behind beforeSend'] as const) {
  test(`A burst of large events, forty times what may wait for a client, closes no client that reads, ${hooks}`, async (t) => {
    const db = await roomy(t);
    const app = await startApp(t, hooks === 'behind beforeSend' ? { beforeSend: async (event) => event } : {}, db);
    const streams = await Promise.all([app.streamOf('ann'), app.streamOf('ann'), app.streamOf('bob')]);
    await db.query(
      `insert into djr.event (scope, type, detail)
       select 'public', 'n', jsonb_build_object('n', n, 'pad', repeat('x', case when n % 5 = 0 then 1 else $1 end))
       from generate_series(1, 40) n`,
      [LARGE],
    );
    await publish(db, 41, 1, 'bob');
    for (const [place, stream] of streams.entries()) {
      await stream.count(place === 2 ? 41 : 40);
      t.deepEqual(numbers(stream), upTo(place === 2 ? 41 : 40));
      t.false(stream.ended);
    }
    t.deepEqual(slow(app), []);
  });
}

for (const [source, options] of <[string, { historyBytes?: number; historyEvents?: number }][]>[
  ['memory', { historyBytes: 1024 * MIB }],
  ['storage', { historyEvents: 0 }],
  ['a history that large events have emptied', { historyBytes: MIB }],
]) {
  test(`A client comes back to large events from ${source}: all of them, once`, async (t) => {
    const db = await roomy(t);
    const app = await startApp(t, options, db);
    const first = await app.streamOf('ann');
    await publish(db, 1);
    await first.count(1);
    first.close();
    for (let n = 2; n <= 13; n += 1) await publish(db, n, n % 4 === 0 ? 1 : LARGE);
    await until('all was delivered', async () => /djr_events_total 13/.test(await app.realtime.metrics()));
    const others = await Promise.all(upTo(4).map(() => app.streamOf('ann', '', { lastEventId: first.lastEventId! })));
    for (const stream of others) {
      await stream.count(12);
      t.deepEqual(numbers(stream), upTo(13).slice(1));
      t.deepEqual(stream.resets, []);
    }
    const bytes = Number(/djr_history_bytes (\d+)/.exec(await app.realtime.metrics())![1]);
    t.true(bytes <= (options.historyBytes ?? 32 * MIB), `${bytes}`);
    t.deepEqual(slow(app), []);
  });
}

test('An instance that starts beside many large events takes no more of them into memory than its history may have', async (t) => {
  const db = await roomy(t);
  await db.query(
    `insert into djr.event (scope, type, detail)
     select 'public', 'n', jsonb_build_object('n', n, 'pad', repeat('x', $1)) from generate_series(1, 60) n`,
    [LARGE],
  );
  const [{ since }] = (await db.query<{ since: string }>(`select '3:3:' as since`)) as [{ since: string }];
  const app = await startApp(t, {}, db);
  const text = await app.realtime.metrics();
  const events = Number(/djr_history_events (\d+)/.exec(text)![1]);
  t.true(events > 5 && events < 60, `${events}`);
  const stream = await app.stream(`?since=${since}`);
  await stream.count(60);
  t.deepEqual(numbers(stream), upTo(60));
});

test('The limit may be lowered again: what was stored is read on, and what is published later is held to the new one', async (t) => {
  const db = await roomy(t);
  await publish(db, 1, LARGE);
  await db.query('select djr.configure(max_bytes => 7999)');
  const app = await startApp(t, {}, db);
  const stream = await app.streamOf('ann', '?since=3:3:');
  await stream.count(1);
  t.is((stream.events[0]!.data.pad as string).length, LARGE);
  t.like(await t.throwsAsync(publish(db, 2, 9000)), { code: 'DJR05' });
  t.deepEqual(await db.query('select max_bytes, largest_bytes from djr.settings'), [
    { max_bytes: 7999, largest_bytes: MIB },
  ]);
});

const publishAll = async (db: TestDatabase, from: number, to: number) => {
  for (let n = from; n <= to; n += 1) {
    const bytes = n % 7 === 0 ? 1 : LARGE;
    await db.query(`select djr.publish_public('n', jsonb_build_object('n', $1::int, 'pad', repeat('x', $2)))`, [
      n,
      bytes,
    ]);
  }
};
const metric = async (app: TestApp, name: string) =>
  Number(new RegExp(`^${name} (.*)$`, 'm').exec(await app.realtime.metrics())![1]);

for (const [source, options] of [
  ['memory', { historyBytes: 1024 * MIB }],
  ['storage', { historyEvents: 0 }],
] as const) {
  test(`A client that reads slower than large events come falls behind, costs no more than may wait for it, and has all when it has read, from ${source}`, async (t) => {
    const db = await roomy(t);
    const app = await startApp(t, options, db);
    const late = await rawClient(t, app);
    const other = await app.stream();
    late.socket.pause();
    await publishAll(db, 1, 40);
    await other.count(40);
    t.true((await metric(app, 'djr_buffered_bytes')) <= 4 * MIB);
    t.is(await metric(app, 'djr_fell_behind_total'), 1);
    late.socket.resume();
    await until('it has read', () => /"n": 40[,}]/.test(late.text().slice(-2 * MIB)));
    // Live again: what comes now needs no reading.
    await publishAll(db, 49, 49);
    await until('it is live', () => late.text().slice(-1000).includes('"n": 49'));
    t.deepEqual(
      [...late.text().matchAll(/"n": (\d+)/g)].map(([, n]) => Number(n)),
      [...upTo(40), 49],
    );
    t.false(late.text().includes('reset'));
    // An id on the way is a place to go on from.
    const before = late.text().slice(0, late.text().indexOf('"n": 31,'));
    const [lastEventId] = [...before.matchAll(/^id: (.*)$/gm)].map(([, id]) => id!).slice(-2);
    const again = await app.stream('', { lastEventId: lastEventId! });
    await again.count(11);
    t.deepEqual(numbers(again), [...upTo(40).slice(30), 49]);
    t.deepEqual(slow(app), []);
  });
}

test('A client that reads nothing of large events is closed when it has read nothing for the write time-out', async (t) => {
  const db = await roomy(t);
  const app = await startApp(t, { writeTimeout: 500 }, db);
  const { socket } = await rawClient(t, app);
  socket.pause();
  await publishAll(db, 1, 20);
  await until('it was closed', async () => /reason="stalled"\} 1/.test(await app.realtime.metrics()));
  t.is(await metric(app, 'djr_buffered_bytes'), 0);
});

test('Subscribers, topics, the admin’s list and hooks know large events', async (t) => {
  const db = await roomy(t);
  const sizes: number[] = [];
  const app = await startApp(t, { authorizeTopic: () => true, admin: { authorize: () => true } }, db);
  app.realtime.subscribe('n', ({ detail }) => sizes.push((detail.pad as string).length));
  const stream = await app.streamOf('ann', '?topic=room:7');
  await app.realtime.publish({ topic: 'room:7', type: 'n', detail: { n: 1, pad: 'x'.repeat(LARGE) } });
  await app.realtime.publish({ scope: 'system', type: 'n', detail: { n: 2, pad: 'ü'.repeat(LARGE / 2) } });
  await stream.count(1);
  await until('subscribers have them', () => sizes.length === 2);
  t.deepEqual(sizes, [LARGE, LARGE / 2]);
  const list = await (await fetch(`${app.origin}/realtime/admin/`)).text();
  t.true(list.length < 100_000, `${list.length}`);
  t.true((await (await fetch(`${app.origin}/realtime/admin/events/1/`)).text()).length > LARGE);
});
