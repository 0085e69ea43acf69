import test from 'ava';
import { Envelope } from '../../src/delivery/envelope.js';
import { Feed } from '../../src/delivery/feed.js';
import { Frontier } from '../../src/delivery/frontier.js';

const event = (id: number, xid: number | null): Envelope => new Envelope(id, xid, 'public', null, 'note', 0, '{}');

test('what is heard while the first sweep runs is handed on right behind it, and what it read is not again', async (t) => {
  const got: number[] = [];
  const feed = new Feed({ maxWaiting: 10, handOn: ({ id }) => void got.push(id), onLost: () => t.fail() });
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  feed.beginSweep(true);
  feed.receive([event(3, 12), event(2, 11)]);
  await feed.sweep([event(1, 10), event(2, 11)]);
  feed.endSweep(new Frontier('e', 2, 12, 12, []));
  t.deepEqual(got, [1, 2, 3]);

  // LISTEN lost while the sweep runs: nobody knows what was not heard.
  feed.beginSweep(true);
  feed.receive([event(4, 13)]);
  feed.close();
  feed.endSweep(new Frontier('e', 3, 13, 13, []));
  feed.receive([event(5, 14)]);
  t.deepEqual(got, [1, 2, 3, 4]);
});

test('an event without a row that is heard before the stream has a beginning waits for it, within the bound', (t) => {
  const got: number[] = [];
  const lost: number[] = [];
  const feed = new Feed({
    maxWaiting: 2,
    handOn: ({ id }) => void got.push(id, feed.reached.xmin),
    onLost: ({ id }) => lost.push(id),
  });
  feed.receive([1, 2, 3].map((id) => event(id, null)));
  t.deepEqual(got, []);
  feed.startAt(new Frontier('e', 1, 10, 10, []));
  feed.receive([event(4, null)]);
  t.deepEqual(got, [1, 10, 2, 10, 4, 10]);
  t.deepEqual(lost, [3]);
});
