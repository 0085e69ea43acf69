import { EventEmitter } from 'node:events';
import test from 'ava';
import type pg from 'pg';
import { Acknowledger } from '../../src/activity/acknowledger.js';

test('An acknowledgement that comes in any moment around the end of a batch is stored', async (t) => {
  const client = Object.assign(new EventEmitter(), {
    query: async ({ values }: { values: [string, string[]] }) => ({ rows: [{ own: values[1].map(() => true) }] }),
    release() {},
  });
  const pool = { connect: async () => client } as unknown as pg.Pool;
  for (let microtasks = 0; microtasks < 30; microtasks += 1) {
    const acknowledger = new Acknowledger(pool, 'i');
    const one = { userId: 'ann', id: 1, status: 'read' } as const;
    const first = acknowledger.acknowledge([one]);
    for (let i = 0; i < microtasks; i += 1) await null;
    const second = acknowledger.acknowledge([one]);
    const late = new Promise((resolve) => setTimeout(resolve, 5000, 'lost').unref());
    t.deepEqual(await Promise.race([second, late]), [true], `${microtasks} microtasks behind`);
    await first;
    await acknowledger.stop();
  }
});
