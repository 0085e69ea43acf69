import test, { type ExecutionContext } from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import { History } from '../../src/stream/history.js';
import { createDatabase } from '../helpers/database.js';
import { startProxy } from '../helpers/proxy.js';
import { startApp, type TestApp, until } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

const numbers = (stream: Stream) => stream.events.map(({ data }) => data.n);

const publish = async (app: TestApp, ...numbers: number[]) => {
  for (const n of numbers) await app.realtime.publish({ type: 'n', userId: 'ann', detail: { n } });
};

async function unstored(t: ExecutionContext, options: Parameters<typeof startApp>[1] = {}) {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  return startApp(t, options, db);
}

test('With storage off, who comes back to its instance gets what it missed from memory, once and in order', async (t) => {
  const app = await unstored(t);
  const first = await app.streamOf('ann');
  await publish(app, 1, 2);
  await first.count(2);
  first.close();
  await publish(app, 3, 4);
  await app.realtime.publish({ type: 'n', userId: 'bob', detail: { n: 5 } });
  for (const lastEventId of [first.lastEventId, first.events[0]!.id!]) {
    const again = await app.streamOf('ann', '', { lastEventId });
    const missed = lastEventId === first.lastEventId ? [3, 4] : [2, 3, 4];
    await again.count(missed.length);
    t.deepEqual(numbers(again), missed);
    t.deepEqual(again.resets, []);
  }
});

test('With storage off, who comes back after memory has let go of what it missed is told so, once, and goes on live', async (t) => {
  const app = await unstored(t, { historyEvents: 2 });
  const first = await app.streamOf('ann');
  await publish(app, 1);
  await first.count(1);
  first.close();
  await publish(app, 2, 3, 4);
  // Memory has 3 and 4: whoever has 2 gets them, whoever has not cannot know of 2.
  const again = await app.streamOf('ann', '', { lastEventId: first.lastEventId });
  const reset = await again.event('reset');
  t.is(reset.data.reason, 'events are not stored');
  await publish(app, 5);
  await again.count(1);
  t.deepEqual(numbers(again), [5]);
  t.is(again.resets.length, 1);
  const next = await app.streamOf('ann', '', { lastEventId: again.lastEventId });
  await publish(app, 6);
  await next.count(1);
  t.deepEqual(numbers(next), [6]);
  t.deepEqual(next.resets, [], 'the reset’s id, and those behind it, are places to go on from');
});

test('With storage off, a page that comes with a position is told that events may be missing', async (t) => {
  const app = await unstored(t);
  const [row] = await app.db.query<{ position: string }>('select djr.position() as position');
  await publish(app, 1);
  const stream = await app.streamOf('ann', `?since=${row!.position}`);
  await stream.event('reset');
  await publish(app, 2);
  await stream.event('n');
  t.is(stream.resets.length, 1);
  t.deepEqual(numbers(stream).at(-1), 2);
});

test('With storage off, what is published while the listener is away is gone, and its clients are told nothing', async (t) => {
  const db = await createDatabase(t);
  await db.query('select djr.configure(storage => false)');
  const proxy = await startProxy(t, db.url);
  const app = await startApp(t, { database: { listen: proxy.url, pool: db.url } }, db);
  const stream = await app.streamOf('ann');
  await publish(app, 1);
  await stream.count(1);
  proxy.mode = 'refuse';
  proxy.cut();
  await until('the listener is away', () => app.realtime.health().ok === false);
  await publish(app, 2);
  proxy.mode = 'pass';
  await until('the listener is back', () => app.realtime.health().ok);
  await publish(app, 3);
  await stream.count(2);
  t.deepEqual(numbers(stream), [1, 3]);
  t.deepEqual(stream.resets, []);
  t.deepEqual(await db.query('select 1 from djr.event'), []);
});

test('Switched off and on again, storage costs a client nothing that comes back to its instance', async (t) => {
  const app = await startApp(t);
  const first = await app.streamOf('ann');
  await publish(app, 1);
  await app.db.query('select djr.configure(storage => false)');
  await publish(app, 2);
  await app.db.query('select djr.configure(storage => true)');
  await publish(app, 3);
  await first.count(3);
  t.deepEqual(numbers(first), [1, 2, 3]);
  for (const [place, { id }] of first.events.entries()) {
    const again = await app.streamOf('ann', '', { lastEventId: id });
    await again.count(2 - place);
    t.deepEqual(numbers(again), [1, 2, 3].slice(place + 1));
    t.deepEqual(again.resets, []);
  }
});

test('That an event has no row says that events are not stored before a sweep has read so', (t) => {
  const history = new History(10, 1_000_000);
  history.startAt(1);
  const since = new Frontier('e', 1, 5, 5, []);
  t.true(history.covers(since));
  history.push(new Item(1, new Envelope(1, null, 'public', null, 'n', 2, '{}'), ''));
  t.false(history.covers(since));
});
