import { mock } from 'node:test';
import test, { type ExecutionContext } from 'ava';
import type { Need, Recent } from '../../src/stream/resume/backlog.js';
import { openClient } from '../clients/open-client.js';
import { at, events, openReader, progress } from './simulated-storage.js';

/** Storage in which three readings hang until they are released, so that everybody else shares one. */
function crowd(recent: (need: Need) => Partial<Recent>, options: Parameters<typeof openReader>[0] = {}) {
  const needs: Need[] = [];
  const waiting: (() => void)[] = [];
  const stage = openReader({
    readSince: () => new Promise((resolve) => waiting.push(() => resolve(progress(0, true)))),
    async readRecent(need) {
      needs.push(need);
      const state = { frontier: at(50), storage: true, startedAt: 0, prunedXid: 0, completeFrom: need.xmax };
      return { ...state, envelopes: [], ...recent(need) };
    },
    ...options,
  });
  const alone = [1, 2, 3].map(() => stage.read());
  return {
    ...stage,
    needs,
    waiting,
    async release() {
      for (const go of waiting.splice(0)) go();
      await Promise.all(alone);
    },
  };
}

const settle = async () => {
  for (let n = 0; n < 5; n += 1) await new Promise(setImmediate);
};

test('Beyond three clients at a time all others share one reading, which is kept for those that come later', async (t) => {
  const { read, release, needs, history } = crowd(() => ({ envelopes: events(21, 23) }));
  await settle();
  const clients = [openClient(), openClient()];
  const results = [read(clients[0], at(20)), read(clients[1], at(22))];
  for (const result of results) t.deepEqual(await result, { frontier: at(50), before: 7 });
  t.deepEqual(
    clients.map(({ written }) => written),
    [
      [21, 22, 23],
      [22, 23],
    ],
  );
  t.is(needs.length, 1, 'who came meanwhile finds in it what it lacks');
  const earlier = openClient();
  await read(earlier, at(15));
  t.deepEqual(earlier.written, [21, 22, 23]);
  t.deepEqual(
    needs.map(({ xmax }) => xmax),
    [20, 15],
  );
  await release();
  const later = openClient();
  t.deepEqual(await read(later, at(22), ({ envelope }) => envelope.id !== 22), { frontier: at(50), before: 7 });
  t.deepEqual(later.written, [23]);
  t.is(needs.length, 2);
  history.markIncompleteUpTo(8);
  const fresh = read(openClient(), at(22));
  t.is(needs.length, 2, 'its history no longer reaches back: it is read for by itself');
  void fresh;
});

test.serial('A shared reading is kept for ten seconds', async (t: ExecutionContext) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { read, release, needs, waiting } = crowd(() => ({}));
  await settle();
  await read();
  mock.timers.tick(9999);
  await read();
  t.is(needs.length, 1);
  await release();
  mock.timers.tick(1);
  const alone = read();
  await settle();
  t.is(waiting.length, 1);
  waiting[0]!();
  await alone;
});

test('What a shared reading shows not to be had is a reset; what it does not have is read for by itself', async (t) => {
  const pruned = crowd(() => ({ prunedXid: 30 }));
  await settle();
  t.deepEqual(await pruned.read(), { reset: 'events since then have been pruned or were not stored' });
  await pruned.release();
  const many = crowd(() => ({ envelopes: events(21, 23) }), { limit: 2 });
  await settle();
  t.deepEqual(await many.read(), { reset: 'more than 2 events were missed' });
  t.deepEqual(await many.read(openClient(), at(20), ({ envelope }) => envelope.id > 21), {
    frontier: at(50),
    before: 7,
  });
  await many.release();
  const partial = crowd(() => ({ completeFrom: 30 }));
  await settle();
  const alone = partial.read();
  await settle();
  await partial.release();
  await settle();
  t.is(partial.waiting.length, 1);
  await partial.release();
  t.deepEqual(await alone, { frontier: at(50), before: 7 });
});

test('What onReceive stops is in no shared reading', async (t) => {
  const { read, release } = crowd(() => ({ envelopes: events(21, 260) }), {
    receive: async (envelope) => (envelope.id % 2 ? envelope : null),
    limit: 1000,
  });
  await settle();
  const client = openClient();
  await read(client);
  t.deepEqual(
    client.written,
    Array.from({ length: 120 }, (_, n) => 21 + 2 * n),
  );
  await release();
});

test('A shared reading that fails fails for those that waited for it, and the next one is another', async (t) => {
  let fails = true;
  const { read, release } = crowd(() => {
    if (fails) throw new Error('away');
    return {};
  });
  await settle();
  await t.throwsAsync(read(), { message: 'away' });
  fails = false;
  t.deepEqual(await read(), { frontier: at(50), before: 7 });
  await release();
});
