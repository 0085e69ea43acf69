import test from 'ava';
import { Ahead, NamedAhead } from '../../src/event/ahead.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { createDatabase } from '../helpers/database.js';
import { startApp, type TestApp, until } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const numbers = (stream: Stream) => stream.events.map(({ data }) => data.n);

const publish = (app: TestApp, n: number, store = true, userId = 'ann') =>
  app.realtime.publish({ type: store ? 'n' : 'typing', userId, detail: { n }, store });

test('An event without a row reaches who is connected, in order with the others, under the id that publish returned', async (t) => {
  const app = await startApp(t);
  const stream = await app.streamOf('ann');
  const named = await app.streamOf('ann', '?named=1&types=typing');
  const other = await app.streamOf('bob');
  const ids: (number | null)[] = [];
  for (let n = 1; n <= 9; n += 1) ids.push(await publish(app, n, n % 3 === 0));
  await publish(app, 10, false, 'bob');
  await stream.count(9);
  await other.count(1);
  await named.count(6);
  t.deepEqual(numbers(stream), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.deepEqual(
    stream.events.map(({ id }) => Number(id!.split('-')[0])),
    ids as number[],
  );
  t.deepEqual(numbers(other), [10]);
  t.deepEqual(numbers(named), [1, 2, 4, 5, 7, 8]);
  t.true(named.events.every(({ event }) => event === 'typing'));
  t.deepEqual(await app.db.query('select detail -> $1 as n from djr.event order by id', ['n']), [
    { n: 3 },
    { n: 6 },
    { n: 9 },
  ]);
});

for (const [where, options] of [
  ['memory', {}],
  ['storage', { historyEvents: 0 }],
] as const) {
  test(`A client that comes back gets what was stored, from ${where}, nothing that was not, and no reset`, async (t) => {
    const app = await startApp(t, options);
    const first = await app.streamOf('ann');
    await publish(app, 1);
    await publish(app, 2, false);
    await first.count(2);
    first.close();
    for (const n of [3, 5, 7]) {
      await publish(app, n, false);
      await publish(app, n + 1);
    }
    // From the id of a stored event, from that of one without a row, and from before both.
    const ids = [first.events[0]!.id!, first.events[1]!.id!, first.frames[0]!.id!];
    for (const [place, lastEventId] of ids.entries()) {
      const again = await app.streamOf('ann', '', { lastEventId });
      const missed = place === 2 ? [1, 4, 6, 8] : [4, 6, 8];
      await again.count(missed.length);
      await publish(app, 100 + place);
      await again.count(missed.length + place + 1);
      t.deepEqual(numbers(again), [...missed, ...[100, 101, 102].slice(0, place + 1)]);
      t.deepEqual(again.resets, []);
    }
  });

  test(`A client that goes to another instance gets what was stored, from ${where}, nothing twice, and no reset`, async (t) => {
    const app = await startApp(t);
    const other = await startApp(t, options, app.db);
    const first = await app.streamOf('ann');
    for (let n = 1; n <= 20; n += 1) await publish(app, n, n % 2 === 0);
    await first.count(20);
    first.close();
    await publish(app, 21, false);
    await publish(app, 22);
    const again = await other.streamOf('ann', '', { lastEventId: first.lastEventId! });
    await again.count(1);
    await publish(app, 23);
    await again.count(2);
    t.deepEqual(numbers(again), [22, 23]);
    t.deepEqual(again.resets, []);
    const since = await other.streamOf('ann', '', { lastEventId: first.events[9]!.id! });
    await since.count(7);
    t.deepEqual(numbers(since), [12, 14, 16, 18, 20, 22, 23]);
  });
}

test('With storage off an event without a row is in no memory either: a resume brings the others', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  const app = await startApp(t, {}, db);
  const first = await app.streamOf('ann');
  await publish(app, 1);
  await first.count(1);
  first.close();
  await publish(app, 2, false);
  await publish(app, 3);
  await until('all was delivered', async () => /djr_events_total 3/.test(await app.realtime.metrics()));
  const again = await app.streamOf('ann', '', { lastEventId: first.lastEventId! });
  await again.count(1);
  t.deepEqual(numbers(again), [3]);
  t.deepEqual(again.resets, []);
});

test('Subscribers and hooks see an event without a row as any other, and what a hook makes of it stays without one', async (t) => {
  const received: number[] = [];
  const app = await startApp(t, {
    onReceive: (event) => (event.detail.n === 2 ? null : { ...event, detail: { ...event.detail, received: true } }),
    beforeSend: (event, { userId }) => ({ ...event, detail: { ...event.detail, userId } }),
  });
  app.realtime.subscribe('typing', ({ detail }) => received.push(detail.n as number));
  const stream = await app.streamOf('ann');
  for (const n of [1, 2, 3]) await publish(app, n, false);
  await stream.count(2);
  t.deepEqual(
    stream.events.map(({ data }) => [data.n, data.received, data.userId]),
    [
      [1, true, 'ann'],
      [3, true, 'ann'],
    ],
  );
  t.deepEqual(received, [1, 3]);
  const again = await app.streamOf('ann', '', { lastEventId: stream.frames[0]!.id! });
  await publish(app, 4);
  await again.count(1);
  t.deepEqual(numbers(again), [4]);
});

test('With activity full, an event without a row has none, and is acknowledged by nobody', async (t) => {
  const app = await startApp(t);
  await app.db.query(`select djr.configure(activity => 'full')`);
  const stream = await app.streamOf('ann');
  await publish(app, 1, false);
  const stored = await publish(app, 2);
  await stream.count(2);
  await app.realtime.stop();
  t.deepEqual(await app.db.query('select distinct event_id from djr.activity'), [{ event_id: String(stored) }]);
  const steps = app.lines.filter(({ level }) => level === 'error' || level === 'warn');
  t.deepEqual(steps, []);
});

test('Events without a row for two audiences of one client keep their order in one turn', async (t) => {
  const app = await startApp(t, { authorizeTopic: () => true });
  const stream = await app.streamOf('ann', '?topic=room:7');
  const element = (n: number) => ({
    type: 'n',
    detail: { n },
    ...[{ user_id: 'ann' }, { scope: 'public' }, { topic: 'room:7' }][n % 3],
    store: n % 4 === 0,
  });
  const events = Array.from({ length: 60 }, (_, n) => element(n)).filter(({ store }) => !store);
  await app.db.query('select djr.publish_many($1)', [JSON.stringify(events)]);
  await stream.count(events.length);
  t.deepEqual(
    numbers(stream),
    events.map(({ detail }) => detail.n),
  );
});

test('publish refuses a key, and what is neither true nor false', async (t) => {
  const app = await startApp(t);
  const call = (rest: object) => app.realtime.publish({ userId: 'ann', type: 'n', ...rest } as never);
  t.like(await t.throwsAsync(call({ store: false, key: 'k' })), { code: 'DJR06' });
  t.like(await t.throwsAsync(call({ store: 'no' })), { code: 'DJR09' });
  t.like(await t.throwsAsync(call({ store: false, detail: { t: 'x'.repeat(8000) } })), { code: 'DJR05' });
  t.deepEqual(await app.db.query('select from djr.event'), []);
});

test('While delivery sweeps, what has no row comes at once, is dropped beyond the limit, and metrics and the log say how many', async (t) => {
  const app = await startApp(t);
  await app.db.query(`select djr.configure(delivery => 'sweep'), setval('djr.unstored_limit', 100)`);
  const stream = await app.streamOf('ann');
  const ids = await Promise.all(Array.from({ length: 400 }, (_, n) => publish(app, n, false)));
  const sent = ids.filter((id) => id !== null);
  t.true(sent.length < 400 && sent.length >= 10, `${sent.length}`);
  await stream.count(sent.length);
  await until('the metric says it', async () =>
    (await app.realtime.metrics()).includes(`djr_unstored_dropped_total ${400 - sent.length}\n`),
  );
  await publish(app, 1000);
  await stream.event('n');
  t.is(stream.events.length, sent.length + 1);
  t.true(app.lines.some(({ level, message }) => level === 'warn' && /were dropped/.test(message)));
});

test('Ids of events without a row among those ahead of the frontier keep an id short', (t) => {
  const frontier = new Frontier('e', 1000, 10, 10, []);
  const [mixed, stored] = [new Ahead(frontier), new Ahead(frontier)];
  for (let id = 1; id <= 200; id += 1) {
    mixed.add(new Envelope(id, id % 2 ? 20 + id : null, 'public', null, 'n', 2000, '{}', null, id % 2 === 0));
    stored.add(new Envelope(id, 20 + id, 'public', null, 'n', 2000, '{}'));
  }
  t.false(mixed.overflowed);
  t.is(mixed.packed, stored.packed);
  const named = NamedAhead.unpack(mixed.packed.slice(1).split('.'), frontier)!;
  t.is(named.size, 200);
});
