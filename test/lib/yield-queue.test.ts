import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { Semaphore } from '../../src/lib/semaphore.js';
import { YieldQueue } from '../../src/lib/yield-queue.js';

test('However many catch up, the event loop turns between a few pieces of their work', async (t) => {
  const yieldQueue = new YieldQueue();
  let done = 0;
  const all = Array.from({ length: 100 }, async () => {
    for (let piece = 0; piece < 3; piece += 1) {
      await yieldQueue.next();
      done += 1;
    }
  });
  let turns = 0;
  while (done < 300) {
    const before = done;
    await setImmediate();
    t.true(done - before <= 20, `${done - before} pieces in one turn`);
    turns += 1;
  }
  await Promise.all(all);
  t.true(turns >= 15);
});

test('So many work at a time; who waits comes in order, and a failure gives its place free', async (t) => {
  const places = new Semaphore(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (n: number) =>
    places.run(async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (n === 1) throw new Error('no');
    });
  const all = [1, 2, 3, 4].map(work);
  const first = t.throwsAsync(all[0]!);
  t.deepEqual(begun, [1, 2]);
  t.false(places.free);
  ends[0]!();
  await first;
  await setImmediate();
  t.deepEqual(begun, [1, 2, 3]);
  ends[1]!();
  ends[2]!();
  await setImmediate();
  ends[3]!();
  await Promise.all(all.slice(1));
  t.deepEqual(begun, [1, 2, 3, 4]);
  t.true(places.free);
});
