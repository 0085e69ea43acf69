import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import type { Event } from '../../src/index.js';
import { MAX_IN_HAND, MAX_WAITING, Subscription } from '../../src/stream/subscription.js';
import { until } from '../helpers/server.js';

const event = (id: number): Envelope => new Envelope(id, id, 'public', null, 'note', 0, '{}');

function subscription(subscriber: (event: Event) => unknown, timeout = 60_000) {
  const failed: number[] = [];
  const dropped: number[] = [];
  const subscribed = new Subscription({
    subscriber,
    timeout,
    onFailed: ({ id }) => failed.push(id),
    onDropped: ({ id }) => dropped.push(id),
  });
  return { subscribed, failed, dropped };
}

test('An asynchronous subscriber has a bounded number of events in hand, and gets the others in order behind them', async (t) => {
  const got: number[] = [];
  const waiting: (() => void)[] = [];
  let most = 0;
  const { subscribed, dropped } = subscription(({ id }) => {
    got.push(id);
    return new Promise<void>((resolve) => {
      waiting.push(resolve);
      most = Math.max(most, waiting.length);
    });
  });
  for (let id = 1; id <= 1000; id += 1) subscribed.call(event(id));
  t.is(got.length, MAX_IN_HAND);
  while (waiting.length > 0) {
    waiting.shift()!();
    await setImmediate();
  }
  t.is(most, MAX_IN_HAND);
  t.deepEqual(dropped, []);
  t.deepEqual(
    got,
    Array.from({ length: 1000 }, (_, i) => i + 1),
  );
});

test('What a subscriber that does not keep up cannot get is counted, and waits for nobody', (t) => {
  const { subscribed, dropped } = subscription(() => new Promise(() => {}));
  const all = MAX_IN_HAND + MAX_WAITING;
  for (let id = 1; id <= all + 5; id += 1) subscribed.call(event(id));
  t.deepEqual(
    dropped,
    [1, 2, 3, 4, 5].map((n) => all + n),
  );
  subscribed.end();
});

test('An event that is never settled gives its place free after the time-out', async (t) => {
  const got: number[] = [];
  const { subscribed, failed } = subscription(({ id }) => {
    got.push(id);
    return new Promise(() => {});
  }, 20);
  for (let id = 1; id <= 3 * MAX_IN_HAND; id += 1) subscribed.call(event(id));
  await until('all of them', () => got.length === 3 * MAX_IN_HAND);
  t.deepEqual(failed, []);
});

test('A subscriber that returns no promise gets all at once, and errors of each kind are told', async (t) => {
  const got: number[] = [];
  const { subscribed, failed } = subscription(({ id }) => {
    got.push(id);
    if (id === 2) throw new Error('broken');
    return id === 3 ? Promise.reject(new Error('broken')) : undefined;
  });
  for (let id = 1; id <= 500; id += 1) subscribed.call(event(id));
  await setImmediate();
  t.is(got.length, 500);
  t.deepEqual(failed, [2, 3]);
});

test('After the end nothing that waited is handed over', async (t) => {
  const got: number[] = [];
  const waiting: (() => void)[] = [];
  const { subscribed } = subscription(({ id }) => {
    got.push(id);
    return new Promise<void>((resolve) => waiting.push(resolve));
  });
  for (let id = 1; id <= 200; id += 1) subscribed.call(event(id));
  subscribed.end();
  for (const resolve of waiting) resolve();
  await setImmediate();
  t.is(got.length, MAX_IN_HAND);
});

test('A subscriber that does not answer keeps no process alive', (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { subscribed } = subscription(() => new Promise(() => {}));
  subscribed.call(event(1));
  t.is(timers(), before);
});
