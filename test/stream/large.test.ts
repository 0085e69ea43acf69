import test from 'ava';
import type { RealtimeOptions } from '../../src/index.js';
import { startApp, type TestApp } from '../helpers/server.js';

/** Events of 7 kB in one statement: 14 MB for each client, which may keep one MiB waiting. */
const EVENTS = 2000;

const publish = (app: TestApp, from: number) =>
  app.db.query(
    `insert into djr.event (scope, type, detail)
     select 'public', 'large', jsonb_build_object('n', n, 'pad', repeat('x', 7000)) from generate_series($1::int, $2::int) n`,
    [from, from + EVENTS - 1],
  );

const expected = Array.from({ length: EVENTS }, (_, i) => i + 1);

for (const [source, options] of [
  ['storage', { historyEvents: 0 }],
  ['memory', {}],
] as const) {
  test(`A client that reads comes back to large events from ${source}, however many times its bound they are`, async (t) => {
    const gone = await startApp(t);
    const { lastEventId } = await gone.stream();
    await publish(gone, 1);
    const app = await startApp(t, options, gone.db);
    const back = await app.stream('', { lastEventId });
    await back.count(EVENTS);
    t.deepEqual(
      back.events.map(({ data }) => data.n),
      expected,
    );
    t.false(back.ended);
  });
}

/** For each test one of its own. */
const hooks: Record<string, () => RealtimeOptions> = {
  'without a hook': () => ({}),
  'behind an onReceive that answers at once': () => ({ onReceive: async (event) => event }),
  'behind an onReceive that takes its time for the first': () => {
    let answered = 0;
    return {
      onReceive: (event) => (answered++ ? event : new Promise((resolve) => setTimeout(resolve, 500, event))),
    };
  },
};

for (const [delivery, hook] of ['notify', 'sweep'].flatMap((mode) =>
  Object.keys(hooks).map((name) => [mode, name] as const),
)) {
  test(`Clients that read stay and get large events published in one statement, by ${delivery}, ${hook}`, async (t) => {
    const app = await startApp(t, hooks[hook]!());
    await app.db.query('select djr.configure(delivery => $1)', [delivery]);
    const streams = await Promise.all(Array.from({ length: 5 }, () => app.stream()));
    await publish(app, 1);
    for (const stream of streams) await stream.count(EVENTS);
    for (const stream of streams) {
      t.deepEqual(
        stream.events.map(({ data }) => data.n),
        expected,
      );
      t.false(stream.ended);
    }
    t.deepEqual(
      app.lines.filter(({ context }) => context.reason === 'slow'),
      [],
    );
  });
}
