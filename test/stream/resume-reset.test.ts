import test from 'ava';
import { startApp, type TestApp } from '../helpers/server.js';

const publish = async (app: TestApp, from: number, to: number, userId?: string): Promise<void> => {
  const audience = userId === undefined ? { scope: 'public' as const } : { userId };
  for (let n = from; n <= to; n += 1) await app.realtime.publish({ ...audience, type: 'n', detail: { n } });
};

const numbers = (stream: { events: { data: Record<string, unknown> }[] }) => stream.events.map(({ data }) => data.n);

test('An id that cannot be read is a reset, and the stream goes on live', async (t) => {
  const app = await startApp(t);
  const good = await app.stream();
  const [head, ...rest] = good.lastEventId.split('.');
  await publish(app, 1, 1);
  await good.count(1);
  const ids = [
    '42',
    'x',
    '-',
    '0-a.b',
    `${'9'.repeat(5000)}-x`,
    `${head}.0`,
    `${head}.zz.${rest.slice(1).join('.')}.-1`,
  ];
  for (const lastEventId of ids) {
    const stream = await app.stream('', { lastEventId });
    const reset = await stream.event('reset');
    t.is(typeof reset.data.reason, 'string');
    await publish(app, 2, 2);
    await stream.count(1);
    t.deepEqual(numbers(stream), [2], lastEventId.slice(0, 50));
    t.is(stream.resets.length, 1);
  }
});

test('An id of another database is a reset', async (t) => {
  const [app, elsewhere] = await Promise.all([startApp(t), startApp(t)]);
  const foreign = await elsewhere.stream();
  const stream = await app.stream('', { lastEventId: foreign.lastEventId });
  t.regex((await stream.event('reset')).data.reason as string, /replaced or restored/);
});

test('A position that cannot be read is a reset', async (t) => {
  const app = await startApp(t);
  for (const since of ['x', '1', '5:3:', '1:2:3:4']) {
    const stream = await app.stream(`?since=${since}`);
    await stream.event('reset');
    t.is(stream.resets.length, 1);
  }
});

test('A client that missed more than the limit is told so, and goes on live', async (t) => {
  const app = await startApp(t, { historyEvents: 0, resumeLimit: 5 });
  const first = await app.stream();
  const id = first.lastEventId;
  await publish(app, 1, 6);
  await first.count(6);
  const again = await app.stream('', { lastEventId: id });
  t.regex((await again.event('reset')).data.reason as string, /more than 5 events/);
  await publish(app, 7, 7);
  await again.count(1);
  t.deepEqual(numbers(again), [7]);
});

test('A client that missed what has been pruned is told so', async (t) => {
  const app = await startApp(t, { historyEvents: 0 });
  const first = await app.stream();
  const id = first.lastEventId;
  await publish(app, 1, 3);
  await first.count(3);
  await app.db.query("update djr.event set created_at = now() - interval '1 hour'");
  await app.db.query("select djr.prune('1 minute')");
  const again = await app.stream('', { lastEventId: id });
  t.regex((await again.event('reset')).data.reason as string, /pruned/);
  await publish(app, 4, 4);
  await again.count(1);
  t.deepEqual(numbers(again), [4]);
});

test('With storage off, who comes back from another instance is told that events may be missing', async (t) => {
  const app = await startApp(t);
  await app.db.query('select djr.configure(storage => false)');
  const first = await app.stream();
  await publish(app, 1, 1);
  await first.count(1);
  first.close();
  const other = await startApp(t, {}, app.db);
  const again = await other.stream('', { lastEventId: first.lastEventId });
  await again.event('reset');
  t.deepEqual(again.events, []);
});
