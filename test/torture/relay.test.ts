import { natsTest as test } from '../helpers/nats.js';
import { isSound, table, torture } from './torture.js';

// The short form: `npm run test:torture -- --relay` is the long one, with three servers.
test('with a relay, faults of every kind lose nothing on edges with the whole log and with their own subjects', async (t) => {
  t.timeout(300_000);
  const result = await torture({
    seconds: 18,
    seed: 7,
    readers: 30,
    browsers: 0,
    storage: true,
    relay: 1,
    rate: 100,
    log: () => {},
  });
  t.log(`\n${table(result)}`);
  t.deepEqual(result.lost, []);
  t.deepEqual(result.foreign, []);
  t.deepEqual(result.disorder, []);
  t.true(isSound(result));
  t.true(result.deliveries > 0 && result.resumes > 0);
});
