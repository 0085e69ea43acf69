import test from 'ava';
import { serverUrl } from '../helpers/database.js';
import { growth, soak } from './soak.js';

/** Over ten runs the heap changed by less than a tenth of this; a client that stays behind takes some 3 kB, so 500 take 1.5 MB a round. */
const MARGIN = 2 ** 20;

test('clients that have come, got events and left leave nothing in memory', async (t) => {
  const rounds = await soak({ databaseUrl: serverUrl(), clients: 500, events: 50, rounds: (done) => done < 3 });
  t.deepEqual(
    rounds.map(({ deliveries, failures }) => [deliveries, failures]),
    [
      [25_000, 0],
      [25_000, 0],
      [25_000, 0],
    ],
  );
  t.true(growth(rounds) < MARGIN, `the heap was ${rounds.map(({ heap }) => heap).join(', ')}`);
});
