import test from 'ava';
import { startApp, type TestApp, until } from '../helpers/server.js';

const publish = async (app: TestApp, from: number, to: number, userId?: string): Promise<void> => {
  const audience = userId === undefined ? { scope: 'public' as const } : { userId };
  for (let n = from; n <= to; n += 1) await app.realtime.publish({ ...audience, type: 'n', detail: { n } });
};

const numbers = (stream: { events: { data: Record<string, unknown> }[] }) => stream.events.map(({ data }) => data.n);

for (const [how, query, header] of [
  ['the header Last-Event-ID', false, true],
  ['?lastEventId=', true, false],
] as const) {
  test(`A client that comes back with ${how} gets what it missed, once and in order, then goes on live`, async (t) => {
    const app = await startApp(t);
    const first = await app.streamOf('alice');
    await publish(app, 1, 3, 'alice');
    await first.count(3);
    first.close();
    await first.end();
    await publish(app, 4, 5, 'alice');
    await publish(app, 6, 6);
    const id = first.lastEventId;
    const again = await app.streamOf('alice', query ? `?lastEventId=${encodeURIComponent(id)}` : '', {
      lastEventId: header ? id : undefined,
    });
    await again.count(3);
    await publish(app, 7, 7);
    await again.count(4);
    t.deepEqual(numbers(again), [4, 5, 6, 7]);
    t.deepEqual(again.resets, []);
  });
}

test('The id of the header counts more than that of the query, as a browser keeps the URL', async (t) => {
  const app = await startApp(t);
  const first = await app.stream();
  await publish(app, 1, 4);
  const [, second, , fourth] = await first.count(4);
  await publish(app, 5, 5);
  const again = await app.stream(`?lastEventId=${second!.id}`, { lastEventId: fourth!.id });
  await again.count(1);
  t.deepEqual(numbers(again), [5]);
});

test('The connected frame’s id is enough to resume, for a client that was cut off before its first event', async (t) => {
  const app = await startApp(t);
  const first = await app.stream();
  first.close();
  await publish(app, 1, 2);
  const again = await app.stream('', { lastEventId: first.frames[0]!.id });
  await again.count(2);
  t.deepEqual(numbers(again), [1, 2]);
});

test('From any frame’s id everything behind it comes, and nothing before it', async (t) => {
  const app = await startApp(t);
  const first = await app.streamOf('alice');
  await publish(app, 1, 3, 'alice');
  await publish(app, 4, 6);
  const events = await first.count(6);
  for (const [i, { id }] of events.entries()) {
    const again = await app.streamOf('alice', '', { lastEventId: id });
    await again.count(5 - i);
    t.deepEqual(numbers(again), [1, 2, 3, 4, 5, 6].slice(i + 1));
  }
});

test('On another instance everything that was missed comes as well', async (t) => {
  const app = await startApp(t);
  const other = await startApp(t, {}, app.db);
  const first = await app.streamOf('alice');
  await publish(app, 1, 2, 'alice');
  await first.count(2);
  first.close();
  await publish(app, 3, 5, 'alice');
  const again = await other.streamOf('alice', '', { lastEventId: first.lastEventId });
  await again.until('event 5', () => numbers(again).includes(5));
  await publish(app, 6, 6, 'alice');
  await again.until('event 6', () => numbers(again).includes(6));
  const missed = numbers(again).filter((n) => (n as number) > 2);
  t.deepEqual(missed, [3, 4, 5, 6], 'repeats of what it has are allowed here, gaps are not');
  t.deepEqual(again.resets, []);
});

test('Without history in memory a resume reads from storage', async (t) => {
  const app = await startApp(t, { historyEvents: 0 });
  const first = await app.streamOf('alice', '?types=n');
  await publish(app, 1, 1, 'alice');
  await first.count(1);
  first.close();
  await publish(app, 2, 3, 'alice');
  await publish(app, 4, 4, 'bob');
  await app.realtime.publish({ scope: 'public', type: 'other' });
  await publish(app, 5, 5);
  const again = await app.streamOf('alice', '?types=n', { lastEventId: first.lastEventId });
  await again.until('event 5', () => numbers(again).includes(5));
  await publish(app, 6, 6, 'alice');
  await again.until('event 6', () => numbers(again).includes(6));
  t.deepEqual(
    numbers(again).filter((n) => n !== 1),
    [2, 3, 5, 6],
  );
  t.false(again.raw.includes('other'));
});

test('A client that resumes with the id of another user gets its own events only', async (t) => {
  const app = await startApp(t);
  const other = await startApp(t, { historyEvents: 0 }, app.db);
  const alice = await app.streamOf('alice');
  await publish(app, 1, 1, 'alice');
  await alice.count(1);
  await publish(app, 2, 2, 'alice');
  await publish(app, 3, 3, 'bob');
  await publish(app, 4, 4);
  await app.realtime.publish({ type: 'n', scope: 'system', userId: 'bob', detail: { n: 5 } });
  for (const instance of [app, other]) {
    const bob = await instance.streamOf('bob', '', { lastEventId: alice.events[0]!.id });
    const nobody = await instance.stream('', { lastEventId: alice.events[0]!.id });
    await bob.until('event 4', () => numbers(bob).includes(4));
    await nobody.until('event 4', () => numbers(nobody).includes(4));
    t.deepEqual(numbers(bob), [3, 4]);
    t.deepEqual(numbers(nobody), [4]);
  }
});

test('?since= with djr.position() starts where the page was read: nothing missing, nothing twice', async (t) => {
  const app = await startApp(t);
  await publish(app, 1, 2);
  const open = await app.db.connect();
  await open.query('begin');
  await open.query("select djr.publish_global('n', '{\"n\": 3}')");
  const [row] = await app.db.query(
    "select djr.position() as position, (select jsonb_agg(detail->'n') from djr.event) as page",
  );
  t.deepEqual(row!.page, [1, 2]);
  await publish(app, 4, 4);
  await open.query('commit');
  for (const [earlier, options] of [{}, { historyEvents: 0 }].entries()) {
    const instance = await startApp(t, options, app.db);
    const stream = await instance.stream(`?since=${row!.position}`);
    await stream.count(2);
    await instance.realtime.publish({ scope: 'public', type: `end-${earlier}` });
    await stream.event(`end-${earlier}`);
    t.deepEqual(numbers(stream).slice(0, 2).sort(), [3, 4]);
    // The end that the instance before this one was told is new since the position, too.
    t.is(stream.events.length, 3 + earlier);
  }
});

test('What onReceive stops or changes, it stops and changes for a resume, too', async (t) => {
  for (const historyEvents of [100, 0]) {
    const app = await startApp(t, {
      historyEvents,
      async onReceive(event) {
        if (event.detail.stop) return null;
        event.detail.seen = true;
        return event;
      },
    });
    const first = await app.stream();
    await publish(app, 1, 1);
    await first.count(1);
    first.close();
    await app.realtime.publish({ scope: 'public', type: 'n', detail: { n: 2, stop: true } });
    await publish(app, 3, 3);
    const again = await app.stream('', { lastEventId: first.lastEventId });
    await again.until('event 3', () => numbers(again).includes(3));
    t.false(numbers(again).includes(2));
    t.true(again.events.every(({ data }) => data.seen === true));
  }
});

test('Live events wait behind a resume, however slow its hooks are', async (t) => {
  let slow = false;
  const app = await startApp(t, {
    beforeSend: (event) => (slow ? new Promise((resolve) => setImmediate(() => resolve(event))) : event),
  });
  const first = await app.stream();
  await publish(app, 1, 1);
  await first.count(1);
  first.close();
  await app.db.query("select djr.publish_global('n', jsonb_build_object('n', i)) from generate_series(2, 200) i");
  slow = true;
  const again = await app.stream('', { lastEventId: first.lastEventId });
  await publish(app, 201, 210);
  await again.count(209);
  t.deepEqual(
    numbers(again),
    Array.from({ length: 209 }, (_, i) => i + 2),
  );
});

test('A heartbeat promises nothing to a client that still resumes', async (t) => {
  let hold = false;
  const app = await startApp(t, {
    historyEvents: 0,
    heartbeat: 100,
    hookTimeout: 60_000,
    // Storage is read, and its first event stands still.
    onReceive: (event) => (hold ? new Promise(() => {}) : event),
  });
  const first = await app.stream();
  await publish(app, 1, 3);
  await first.count(3);
  hold = true;
  const resuming = await app.stream('', { lastEventId: first.frames[0]!.id });
  await resuming.until('heartbeats', () => resuming.comments.length >= 4);
  resuming.close();
  hold = false;
  const again = await app.stream('', { lastEventId: resuming.lastEventId });
  await again.count(3);
  t.deepEqual(numbers(again), [1, 2, 3]);
});

for (const [source, historyEvents] of [
  ['history', 100],
  ['storage', 0],
] as const) {
  test(`No id tells a client that resumes from ${source} that it has what beforeSend still holds`, async (t) => {
    let hold = true;
    const app = await startApp(t);
    const other = await startApp(
      t,
      {
        historyEvents,
        heartbeat: 100,
        hookTimeout: 60_000,
        beforeSend: (event) => (hold && event.detail.n === 2 ? new Promise(() => {}) : event),
      },
      app.db,
    );
    const taken: unknown[] = [];
    other.realtime.subscribe((event) => taken.push(event.detail.n));
    const first = await app.stream();
    await publish(app, 1, 3);
    await until('the other instance has them', () => taken.length === 3);
    const resuming = await other.stream('', { lastEventId: first.frames[0]!.id });
    await resuming.count(1);
    const before = resuming.comments.length;
    await resuming.until('heartbeats', () => resuming.comments.length >= before + 4);
    t.deepEqual(numbers(resuming), [1]);
    resuming.close();
    hold = false;
    const again = await other.stream('', { lastEventId: resuming.lastEventId });
    await again.until('event 3', () => numbers(again).includes(3));
    t.deepEqual(
      numbers(again).filter((n) => n !== 1),
      [2, 3],
    );
    t.deepEqual(again.resets, []);
  });
}

test('Many clients that come back at once all get what they missed', async (t) => {
  const app = await startApp(t, { historyEvents: 0 });
  const first = await app.stream();
  const id = first.lastEventId;
  await app.db.query("select djr.publish_global('n', jsonb_build_object('n', i)) from generate_series(1, 100) i");
  await first.count(100);
  const clients = await Promise.all(Array.from({ length: 40 }, () => app.stream('', { lastEventId: id })));
  for (const client of clients) {
    await client.count(100);
    t.deepEqual(
      numbers(client),
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  }
});
