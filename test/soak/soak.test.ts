import test from 'ava';
import { serverUrl } from '../helpers/database.js';
import { compare, shares, soak } from './soak.js';

const CLIENTS = 500;
const MIB = 2 ** 20;

test('clients that have come, got events and left leave nothing, nor do those that came back, stalled or broke off', async (t) => {
  t.timeout(300_000);
  const rounds = await soak({ databaseUrl: serverUrl(), clients: CLIENTS, events: 50, rounds: (done) => done < 3 });
  const { back, stalled } = shares(CLIENTS);
  for (const { failures, deliveries, slow, memory, storage } of rounds) {
    t.deepEqual(failures, []);
    t.true(deliveries > 50 * (CLIENTS + 2 * back));
    t.true(memory >= back && storage >= back && slow === stalled);
  }
  t.true(compare(rounds, 'heap').grown < 2 * MIB, `the heap was ${rounds.map(({ heap }) => heap).join(', ')}`);
  // Each connection of the pool may have one.
  t.true(compare(rounds, 'timers').grown < 12, `timers were ${rounds.map(({ timers }) => timers).join(', ')}`);
});
