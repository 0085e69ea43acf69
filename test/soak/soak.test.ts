import test from 'ava';
import { serverUrl } from '../helpers/database.js';
import { growth, soak } from './soak.js';

/** Four runs grew by 206 to 237 KiB; a hub that never forgets its clients grew by 10 MiB. */
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
