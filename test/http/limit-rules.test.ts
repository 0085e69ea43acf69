import { mock } from 'node:test';
import test from 'ava';
import { Admission, type Place } from '../../src/http/guards/admission.js';
import { Rate } from '../../src/http/guards/rate.js';

test('A key has so many requests in a span, and as many again in the next', (t) => {
  const now = mock.method(performance, 'now', () => 1000);
  t.teardown(() => now.mock.restore());
  const rate = new Rate(2, 100);
  t.deepEqual([rate.take('a'), rate.take('a'), rate.take('a'), rate.take('b')], [true, true, false, true]);
  now.mock.mockImplementation(() => 1099);
  t.false(rate.take('a'));
  now.mock.mockImplementation(() => 1100);
  t.deepEqual([rate.take('a'), rate.take('a'), rate.take('a')], [true, true, false]);
  const second = new Rate(1);
  t.true(second.take('a'));
  now.mock.mockImplementation(() => 2099);
  t.false(second.take('a'));
  now.mock.mockImplementation(() => 2100);
  t.true(second.take('a'));
});

test('With more keys than are remembered the next span begins early, and nobody is refused for it', (t) => {
  const rate = new Rate(1, 3_600_000);
  for (let n = 0; n < 50_000; n += 1) rate.take(`${n}`);
  t.true(rate.take('0'));
  t.false(rate.take('0'));
});

const admission = (limits: object = {}) =>
  new Admission({ maxConnections: 10, maxConnectionsPerUser: 2, maxConnectionsPerAddress: 0, ...limits });
const statusOf = (place: object) => ('status' in place ? place.status : 200);
const retryOf = (place: object) =>
  'headers' in place ? (place.headers as Record<string, string>)['Retry-After'] : undefined;

test('There are so many places, and one is free again when it is given back, once however often', (t) => {
  const places = admission({ maxConnections: 2 });
  const [one, two, none] = [1, 2, 3].map(() => places.enter({ address: undefined }));
  t.deepEqual([statusOf(one!), statusOf(two!), statusOf(none!)], [200, 200, 503]);
  t.is(retryOf(none!), '5');
  t.is(places.size, 2);
  (one as Place).leave();
  (one as Place).leave();
  t.is(places.size, 1);
  t.is(statusOf(places.enter({ address: undefined })), 200);
  t.is(statusOf(places.enter({ address: undefined })), 503);
});

test('An address has so many places, whoever is behind it; where there is no limit nobody asks for it', (t) => {
  const places = admission({ maxConnectionsPerAddress: 1 });
  const first = places.enter({ address: '1.1.1.1' });
  t.deepEqual(
    ['1.1.1.1', '::ffff:1.1.1.1', '2.2.2.2'].map((address) => statusOf(places.enter({ address }))),
    [429, 429, 200],
  );
  t.is(retryOf(places.enter({ address: '1.1.1.1' })), '10');
  t.is(places.size, 2);
  (first as Place).leave();
  t.is(statusOf(places.enter({ address: '1.1.1.1' })), 200);
  for (const _ of [1, 2]) t.is(statusOf(places.enter({ address: undefined })), 200, 'not known: not counted');
  const unlimited = admission();
  const asked = {
    get address(): string {
      throw new Error('it is asked for');
    },
  };
  t.is(statusOf(unlimited.enter(asked)), 200);
});

test('A user is full with so many places, and not once one is released or given back', (t) => {
  const places = admission();
  const [one, two, three] = [1, 2, 3].map(() => places.enter({ address: undefined }) as Place);
  one!.assign('ada');
  t.false(places.isFull('ada'));
  two!.assign('ada');
  t.true(places.isFull('ada'));
  t.false(places.isFull('bob'));
  three!.assign(null);
  one!.release();
  one!.release();
  t.false(places.isFull('ada'));
  three!.assign('ada');
  t.true(places.isFull('ada'));
  one!.leave();
  t.true(places.isFull('ada'), 'its place was released before');
  two!.leave();
  t.false(places.isFull('ada'));
});

test('That all places are empty is waited for, or for so long', async (t) => {
  const places = admission();
  await places.emptied(60_000);
  const [one, two] = [1, 2].map(() => places.enter({ address: undefined }) as Place);
  let empty = 0;
  const waiting = [1, 2].map(() => places.emptied(60_000).then(() => (empty += 1)));
  one!.leave();
  await new Promise(setImmediate);
  t.is(empty, 0);
  two!.leave();
  await Promise.all(waiting);
  t.is(empty, 2);
  const again = places.enter({ address: undefined }) as Place;
  const waited = places.emptied(60_000);
  again.leave();
  await waited;
  places.enter({ address: undefined });
  await places.emptied(1);
  t.is(places.size, 1);
});
