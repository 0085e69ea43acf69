import test, { type ExecutionContext } from 'ava';
import { startApp } from '../helpers/server.js';

const PUBLISH = "select djr.publish_global('note', jsonb_build_object('n', $1::int)) as id";

const HOUR = 3_600_000;

const numbers = (events: { data: Record<string, unknown> }[]): unknown[] => events.map(({ data }) => data.n);

/** Sets this machine's clock, until the test ends. What measures durations goes on, as it does in reality. */
function setClock(t: ExecutionContext, milliseconds: number): void {
  const { now } = Date;
  Date.now = () => now() + milliseconds;
  t.teardown(() => {
    Date.now = now;
  });
}

// One after the other: they have one clock.
for (const [direction, step] of [
  ['forward', HOUR],
  ['back', -HOUR],
] as const) {
  test.serial(
    `The machine's clock jumps an hour ${direction}: streams, heartbeats, sweeps and resumes go on`,
    async (t) => {
      const options = { heartbeat: 100, sweepInterval: 50, lifetime: HOUR / 2 };
      const app = await startApp(t, options);
      const other = await startApp(t, { ...options, historyEvents: 0 }, app.db);
      const stream = await app.stream();
      await app.db.query(PUBLISH, [1]);
      const lastEventId = (await stream.count(1))[0]!.id!;

      setClock(t, step);
      // Without NOTIFY only sweeps find it.
      await app.db.query("select djr.configure(delivery => 'sweep')");
      await app.db.query(PUBLISH, [2]);
      t.deepEqual(numbers(await stream.count(2)), [1, 2]);
      const heartbeats = stream.comments.length;
      await stream.until('more heartbeats', () => stream.comments.length > heartbeats + 3);
      for (const instance of [app, other]) {
        const resumed = await instance.stream('', { lastEventId });
        await resumed.until('what it missed', () => numbers(resumed.events).includes(2));
        t.deepEqual(resumed.resets, []);
      }
      const again = await app.stream('', { lastEventId: stream.lastEventId });
      await app.db.query(PUBLISH, [3]);
      t.deepEqual(numbers(await again.count(1)), [3]);
      t.deepEqual(numbers(await stream.count(3)), [1, 2, 3]);
      t.false(stream.ended);
      t.true(app.realtime.health().ok);
    },
  );
}

test.serial("A stream's lifetime is over when it is, though the machine's clock was set back", async (t) => {
  const app = await startApp(t, { heartbeat: 100, lifetime: 1000 });
  setClock(t, -HOUR);
  const stream = await app.stream();
  await stream.end();
  t.pass();
});

test.serial(
  "A page's position is as good with a clock that is a day behind: it misses nothing and sees nothing twice",
  async (t) => {
    const app = await startApp(t);
    const forgets = await startApp(t, { historyEvents: 0 }, app.db);
    await app.db.query(PUBLISH, [1]);
    const [row] = await app.db.query<{ position: string }>('select djr.position() as position');
    const live = [await app.stream(), await forgets.stream()];
    await app.db.query(PUBLISH, [2]);
    // An instance that is behind delivers what the page has read: neither may be.
    for (const one of live) await one.until('the second', () => numbers(one.events).includes(2));
    setClock(t, -24 * HOUR);
    for (const instance of [app, forgets]) {
      const stream = await instance.stream(`?since=${encodeURIComponent(row!.position)}`);
      await app.db.query(PUBLISH, [3]);
      await stream.until('the last', () => numbers(stream.events).includes(3));
      t.false(numbers(stream.events).includes(1));
      t.true(numbers(stream.events).includes(2));
      t.deepEqual(stream.resets, []);
    }
  },
);
