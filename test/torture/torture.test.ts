import test from 'ava';
import { isSound, repeatShare, table, torture } from './torture.js';

// The short form: `npm run test:torture` is the long one.
test('faults of every kind lose nothing and give nothing to whom it is not for', async (t) => {
  t.timeout(300_000);
  const result = await torture({
    seconds: 20,
    seed: 20_241,
    readers: 40,
    browsers: 0,
    storage: true,
    rate: 150,
    log: () => {},
  });
  t.log(`\n${table(result)}`);
  t.deepEqual(result.lost, []);
  t.deepEqual(result.behind, []);
  t.deepEqual(result.foreign, []);
  t.deepEqual(result.disorder, []);
  t.deepEqual(result.passingFaults, []);
  t.true(result.kinds.large > 0 && result.kinds.passing > 0);
  t.deepEqual([...result.resets], []);
  t.is(result.taken, 0);
  t.is(result.crashes, 0);
  t.true(result.deliveries > 0 && result.resumes > 0);
  // Ids name what their frontier does not show: what is left is of chunks that were cut off in the middle.
  t.true(repeatShare(result) < 0.01, `${result.repeats} of ${result.deliveries} were repeats`);
});

test('without storage each reader gets all between two resets, and none goes to another instance without one', async (t) => {
  t.timeout(300_000);
  const result = await torture({
    seconds: 15,
    seed: 3,
    readers: 40,
    browsers: 0,
    storage: false,
    rate: 150,
    log: () => {},
  });
  t.log(`\n${table(result)}`);
  t.deepEqual(result.lost, []);
  t.deepEqual(result.foreign, []);
  t.deepEqual(result.disorder, []);
  t.true(isSound(result));
  t.true(result.deliveries > 0 && result.resumes > 0);
});
