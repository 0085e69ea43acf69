import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type pg from 'pg';
import { AdminStore } from '../../src/admin/store.js';

test('No more than two searches of the admin have a connection, whenever they come', async (t) => {
  let open = 0;
  let most = 0;
  const pool = {
    async connect() {
      open += 1;
      most = Math.max(most, open);
      return Object.assign(new EventEmitter(), {
        query: async (text: string) => {
          await setImmediate();
          return text === 'commit' ? {} : { rows: [] };
        },
        release: () => {
          open -= 1;
        },
      });
    },
  } as unknown as pg.Pool;
  const store = new AdminStore(() => pool);
  const searches: Promise<unknown>[] = [];
  for (let round = 0; round < 40; round += 1) {
    if (searches.length < 200) searches.push(store.recentTypes().catch((error: Error) => error.message));
    // A new one comes in the very step in which another one ends.
    for (let i = 0; i < round % 7; i += 1) await null;
    if (round % 3 === 0) await Promise.race(searches.splice(0, 1)).then(() => searches.push(store.recentTypes()));
  }
  await Promise.all(searches);
  t.is(most, 2);
  t.is(open, 0);
});
