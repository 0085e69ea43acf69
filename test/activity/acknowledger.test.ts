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

test('However many come meanwhile, one statement runs at a time, and a stop waits for the last one', async (t) => {
  let running = 0;
  let most = 0;
  const client = Object.assign(new EventEmitter(), {
    async query({ values }: { values: [string, string[]] }) {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return { rows: [{ own: values[1].map(() => true) }] };
    },
    release() {},
  });
  const acknowledger = new Acknowledger({ connect: async () => client } as unknown as pg.Pool, 'i');
  const answers: Promise<boolean[]>[] = [];
  for (let n = 0; n < 20; n += 1) {
    answers.push(acknowledger.acknowledge([{ userId: 'ann', id: n, status: 'read' }]));
    for (let i = 0; i < n % 4; i += 1) await new Promise(setImmediate);
  }
  await acknowledger.stop();
  t.is(running, 0);
  t.is(acknowledger.acknowledged, 20);
  t.is(most, 1);
  await Promise.all(answers);
  t.deepEqual(await acknowledger.acknowledge([]), []);
  t.deepEqual(await acknowledger.acknowledge([{ userId: 'ann', id: 1, status: 'read' }]), [true]);
});
