import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import type { Meter } from '../../src/lib/meter.js';
import { Feed, type FeedOptions } from '../../src/stream/feed.js';

const event = (id: number, xid: number | null, unstored = false): Envelope =>
  new Envelope(id, xid, 'public', null, 'note', 0, '{}', null, unstored);

const at = (xmax: number, ...inProgress: number[]) => new Frontier('e', 1, inProgress[0] ?? xmax, xmax, inProgress);

/** A feed, and what it has delivered, lost and failed to deliver. */
function open(options: Partial<FeedOptions> = {}) {
  const [got, lost, failed]: number[][] = [[], [], []];
  const feed = new Feed({
    maxWaiting: 10,
    turnBytes: 1_000_000,
    deliver: ({ id }) => void got!.push(id),
    onLost: ({ id }) => lost!.push(id),
    onFailed: ({ id }) => failed!.push(id),
    ...options,
  });
  return { feed, got: got!, lost: lost!, failed: failed! };
}

/** A feed whose fast lane is open from transaction 10 on. */
function heard(options: Partial<FeedOptions> = {}) {
  const opened = open(options);
  opened.feed.startAt(at(10));
  opened.feed.beginSweep(true);
  opened.feed.endSweep(at(10), true);
  return opened;
}

/** Holds every delivery until it is released. */
function slow(got: number[] = []) {
  const held: (() => void)[] = [];
  const deliver = ({ id }: Envelope) => {
    got.push(id);
    return new Promise<void>((resolve) => held.push(resolve));
  };
  return { deliver, release: () => held.shift()!() };
}

test('Before the first sweep a feed has no frontier, and says so', (t) => {
  const { feed } = open();
  t.is(feed.frontier, undefined);
  t.throws(() => feed.reached, { message: /no frontier before the first sweep/ });
  feed.startAt(at(10));
  t.is(feed.frontier?.xmax, 10);
  t.is(feed.reached.xmax, 10);
});

test('An event that cannot be delivered is told and counted, and keeps nothing from the next', async (t) => {
  const { feed, failed } = heard({
    deliver({ id }) {
      if (id === 1) throw new Error('broken');
      return id === 2 ? Promise.reject(new Error('broken')) : undefined;
    },
  });
  feed.receive([event(1, 10), event(2, 10), event(3, 10)]);
  await feed.settled();
  t.deepEqual(failed, [1, 2]);
  t.is(feed.failures, 2);
  t.is(feed.taken, 3);
});

test('What is heard is delivered once, and what the frontier shows not at all', (t) => {
  const { feed, got } = heard();
  feed.receive([event(1, 10), event(1, 10), event(2, 9)]);
  t.deepEqual(got, [1]);
});

test('What a sweep has found and what was heard is not delivered again by the other', async (t) => {
  const { feed, got } = heard();
  feed.receive([event(1, 10)]);
  feed.beginSweep(true);
  feed.receive([event(2, 11)]);
  await feed.sweep([event(1, 10), event(2, 11), event(3, 11), event(3, 11)]);
  feed.receive([event(3, 11)]);
  t.deepEqual(got, [1, 2, 3]);
  feed.endSweep(at(11, 10), true);
  feed.beginSweep(true);
  // The first one was in progress in that snapshot; it was heard before the sweep began.
  feed.receive([event(2, 11)]);
  await feed.sweep([event(2, 11)]);
  t.deepEqual(got, [1, 2, 3]);
});

test('With too many events waiting the fast lane closes, what has no row is lost, and a sweep finds the rest', async (t) => {
  const { deliver, release } = slow();
  const { feed, lost } = heard({ maxWaiting: 2, deliver });
  feed.receive([event(1, 10), event(2, 10), event(3, 10), event(4, 10), event(5, null, true), event(6, null)]);
  t.is(feed.waiting, 2);
  t.deepEqual(lost, [5, 6]);
  t.deepEqual([feed.lost, feed.unstored], [2, 1]);
  for (let n = 0; n < 3; n += 1) {
    release();
    await setImmediate();
  }
  feed.receive([event(7, 11)]);
  t.is(feed.taken, 3, 'the fast lane is closed until a sweep has found the fourth');
  feed.beginSweep(true);
  const swept = feed.sweep([event(4, 10), event(7, 11)]);
  feed.receive([event(8, 12)]);
  release();
  await setImmediate();
  release();
  await swept;
  feed.endSweep(at(12), true);
  await setImmediate();
  t.is(feed.taken, 6);
});

test('What is heard while the sweep runs that opens the fast lane is held within a bound', async (t) => {
  const { feed, got } = open({ maxWaiting: 2 });
  feed.startAt(at(10));
  feed.beginSweep(true);
  feed.receive([event(1, 10), event(2, 10), event(3, 10)]);
  feed.endSweep(at(10), true);
  t.deepEqual(got, [], 'nobody knows any more what was not heard');
  feed.beginSweep(true);
  feed.receive([event(4, 11), event(5, 11)]);
  feed.endSweep(at(10), true);
  t.deepEqual(got, [4, 5]);
  feed.beginSweep(false);
  feed.endSweep(at(12), true);
  feed.receive([event(6, 12)]);
  t.deepEqual(got, [4, 5, 6], 'it stays open');
});

test('A fast lane that is far ahead of the sweeps closes', (t) => {
  const { feed } = heard({ maxWaiting: 100_000 });
  for (let id = 1; id <= 50_001; id += 1) feed.receive([event(id, 10)]);
  t.is(feed.taken, 50_000);
});

test('A sweep waits where many events, or many bytes, wait to be delivered', async (t) => {
  for (const bounds of [{ maxWaiting: 2 }, { maxWaiting: 10, maxWaitingBytes: 2 * event(1, 10).size }]) {
    const { deliver, release } = slow();
    const { feed } = open({ ...bounds, deliver });
    feed.startAt(at(10));
    feed.beginSweep(true);
    await feed.sweep([event(1, 10), event(2, 10)]);
    let done = false;
    const swept = feed.sweep([event(3, 10)]).then(() => {
      done = true;
    });
    for (let n = 0; n < 3; n += 1) {
      await setImmediate();
      t.false(done);
      release();
    }
    await swept;
    t.is(feed.waiting, 0);
    await feed.sweep([]);
  }
});

test('While publishers may be silent a feed settles: until all that ran at the second heard sweep have ended', (t) => {
  const { feed, got } = heard();
  const sweep = (frontier: Frontier, notifying: boolean) => {
    feed.beginSweep(true);
    feed.endSweep(frontier, notifying);
    return feed.settling;
  };
  t.false(feed.settling);
  t.true(sweep(at(20), false));
  feed.receive([event(1, 20)]);
  t.deepEqual(got, []);
  t.true(sweep(at(30, 21), true), 'the mode may be newer than the snapshot');
  t.true(sweep(at(40, 21), true));
  t.true(sweep(at(50, 39), true), 'it ran already');
  t.false(sweep(at(60, 40), true), 'it did not');
  feed.receive([event(2, 60)]);
  t.deepEqual(got, [2]);
});

test('A transaction that does not end keeps the fast lane closed for 200 sweeps', (t) => {
  const { feed } = heard();
  feed.beginSweep(true);
  feed.endSweep(at(20), false);
  let sweeps = 0;
  for (; feed.settling && sweeps < 1000; sweeps += 1) {
    feed.beginSweep(true);
    feed.endSweep(at(30 + sweeps, 20), true);
  }
  t.is(sweeps, 201);
});

test('In another history of the database no event is taken for a repeat; ids have its frontier once all before is delivered', async (t) => {
  const got: number[] = [];
  const { deliver, release } = slow(got);
  const { feed } = heard({ deliver });
  feed.receive([event(1, 10)]);
  feed.beginSweep(true);
  await feed.sweep([event(2, 10)]);
  let done = false;
  const rebased = feed.rebase(at(5)).then(() => {
    done = true;
  });
  t.is(feed.frontier?.xmax, 10);
  t.is(feed.reached.xmax, 10);
  release();
  await setImmediate();
  t.false(done);
  release();
  await rebased;
  t.is(feed.reached.xmax, 5);
  await feed.sweep([event(1, 10), event(2, 10)]);
  release();
  await setImmediate();
  t.deepEqual(got, [1, 2, 1, 2]);
});

test('A feed that starts anew takes nothing for a repeat', async (t) => {
  const { feed, got } = heard();
  feed.receive([event(1, 10)]);
  feed.beginSweep(true);
  await feed.sweep([event(2, 10)]);
  feed.startAt(at(10));
  await feed.sweep([event(1, 10), event(2, 10)]);
  t.deepEqual(got, [1, 2, 1, 2]);
});

test('A delivery that does not end is a finding; before the first sweep nothing is known', (t) => {
  const { deliver } = slow();
  const { feed } = open({ deliver });
  t.deepEqual(feed.findings(0), [{ check: 'delivery', state: 'unknown' }]);
  feed.startAt(at(10));
  t.deepEqual(feed.findings(0), [{ check: 'delivery', state: 'ok' }]);
  feed.receive([event(1, null)]);
  feed.receive([event(2, null)]);
  t.deepEqual(feed.findings(60_000), [{ check: 'delivery', state: 'ok' }]);
  const [finding] = feed.findings(-1);
  t.like(finding, { check: 'delivery', state: 'failing' });
  t.regex(finding!.reason!, /no event has been delivered for 0 s/);
});

test('A feed counts what waits, failed and was lost, the open transactions, and the frontiers that no id can hold', (t) => {
  const values = new Map<string, () => number | undefined>();
  const add = (name: string, _: string, read: () => number | undefined) => void values.set(name, read);
  const { deliver } = slow();
  const { feed } = open({ deliver, maxWaiting: 2 });
  feed.metrics({ gauge: add, counter: add } as unknown as Meter);
  const read = () => Object.fromEntries([...values].map(([name, value]) => [name, value()]));
  const none = {
    djr_feed_waiting: 0,
    djr_events_failed_total: 0,
    djr_frontiers_cut_total: 0,
    djr_unstored_lost_total: 0,
  };
  t.deepEqual(read(), { ...none, djr_open_transactions: undefined });
  feed.startAt(at(10));
  feed.beginSweep(true);
  feed.endSweep(at(12, 10, 11), true);
  t.deepEqual(read(), { ...none, djr_open_transactions: 2 });
  feed.endSweep(at(100_000, ...Array.from({ length: 20_000 }, (_, n) => 20 + n * 3 + (n % 2))), true);
  for (let id = 1; id <= 4; id += 1) feed.receive([event(id, null)]);
  t.deepEqual(read(), {
    ...none,
    djr_feed_waiting: 2,
    djr_open_transactions: 20_000,
    djr_frontiers_cut_total: 1,
    djr_unstored_lost_total: 1,
  });
});
