import { setImmediate, setTimeout } from 'node:timers/promises';
import test from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Feed } from '../../src/stream/feed.js';

const event = (id: number): Envelope => new Envelope(id, 10, 'public', null, 'note', 0, '{}');

const at = (xmax: number) => new Frontier('e', 1, xmax, xmax, []);

/** A feed that gives clients a turn after so many events, and what it has delivered. @param answer - what `onReceive` would */
function open(events: number, answer: (id: number) => void | Promise<void> = () => {}) {
  const got: number[] = [];
  const feed = new Feed({
    maxWaiting: 1000,
    turnBytes: events * event(1).size,
    deliver({ id }) {
      got.push(id);
      return answer(id);
    },
    onLost() {},
    onFailed() {},
  });
  feed.startAt(at(10));
  return { feed, got };
}

test('A sweep lets others have their turn whenever it has delivered so many bytes', async (t) => {
  const { feed, got } = open(2);

  feed.beginSweep(true);
  const swept = feed.sweep([1, 2, 3, 4, 5].map((id) => event(id)));
  t.deepEqual(got, [1, 2]);
  await setImmediate();
  await setImmediate();
  await swept;
  t.deepEqual(got, [1, 2, 3, 4, 5]);
});

for (const [hook, answer] of [
  ['takes its time for the first', (id: number) => (id === 1 ? setTimeout(20) : undefined)],
  ['answers each at once, by a promise', () => Promise.resolve()],
] as const) {
  test(`Clients have a turn to read between events that waited for an onReceive that ${hook}`, async (t) => {
    const { feed, got } = open(4, answer);
    feed.beginSweep(true);
    feed.endSweep(at(10), true);
    feed.receive(Array.from({ length: 100 }, (_, index) => event(index + 1)));
    const turns: number[] = [];
    for (let before = 0; got.length < 100; before = got.length) {
      await setImmediate();
      turns.push(got.length - before);
    }
    t.true(Math.max(...turns) <= 8, `${turns}`);
    t.deepEqual(
      got,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });
}
