import test from 'ava';
import { isSound, table, torture } from '../torture/torture.js';

// With bare readers alone: test/torture/torture.test.ts. At length: `npm run test:torture`.
test('Tabs that go offline, freeze, show dialogs, are swallowed, closed and loaded anew lose nothing and get nothing twice, under faults', async (t) => {
  t.timeout(300_000);
  const result = await torture({
    seconds: 20,
    seed: 61,
    readers: 5,
    browsers: 6,
    storage: true,
    rate: 120,
    log: () => {},
  });
  t.log(`\n${table(result)}`);
  t.deepEqual(result.lost, []);
  t.deepEqual(result.behind, []);
  t.deepEqual(result.foreign, []);
  t.deepEqual(result.browserRepeats, []);
  t.deepEqual([...result.resets], []);
  t.true(isSound(result));
  t.true(result.browserDeliveries > 0);
});
