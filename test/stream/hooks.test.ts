import test from 'ava';
import type { Detail, Event } from '../../src/index.js';
import { startApp, until } from '../helpers/server.js';

test('onReceive changes an event for clients and subscribers, once an instance', async (t) => {
  let calls = 0;
  const app = await startApp(t, {
    onReceive(event) {
      calls += 1;
      event.detail.added = event.id;
      return { ...event, type: `seen_${event.type}` };
    },
  });
  const streams = await Promise.all([app.stream(), app.stream()]);
  const subscribed: Event[] = [];
  app.realtime.subscribe('seen_news', (event) => subscribed.push(event));
  const id = await app.realtime.publish({ scope: 'public', type: 'news', detail: { n: 1 } });
  for (const stream of streams) {
    t.deepEqual((await stream.event('seen_news')).data, { n: 1, added: id, type: 'seen_news' });
  }
  t.deepEqual(
    subscribed.map(({ detail }) => detail),
    [{ n: 1, added: id }],
  );
  t.is(calls, 1);
});

test('onReceive stops an event for everybody, and keeps the order of the others while it takes its time', async (t) => {
  const app = await startApp(t, {
    async onReceive(event) {
      // The first one takes longest.
      await new Promise((resolve) => setTimeout(resolve, 50 - 10 * Number(event.detail.n)));
      return event.detail.n === 2 ? null : event;
    },
  });
  const stream = await app.stream();
  const subscribed: unknown[] = [];
  app.realtime.subscribe('n', (event) => subscribed.push(event.detail.n));
  for (let n = 0; n < 5; n += 1) await app.realtime.publish({ scope: 'public', type: 'n', detail: { n } });
  await stream.count(4);
  t.deepEqual(
    stream.events.map(({ data }) => data.n),
    [0, 1, 3, 4],
  );
  t.deepEqual(subscribed, [0, 1, 3, 4]);
});

const cycle: Detail = {};
cycle.self = cycle;

/** What no hook should return; each costs its own event and no other. */
const RUBBISH: Record<string, (event: Event) => unknown> = {
  throws: () => {
    throw new Error('broken hook');
  },
  rejects: () => Promise.reject(new Error('broken hook')),
  hangs: () => new Promise(() => {}),
  undefined: () => undefined,
  number: () => 5,
  string: () => 'event',
  boolean: () => true,
  symbol: () => Symbol('event'),
  function: () => () => null,
  array: () => [],
  empty: () => ({}),
  no_type: (event) => ({ ...event, type: '' }),
  line_in_type: (event) => ({ ...event, type: 'a\ndata: forged' }),
  text_detail: (event) => ({ ...event, detail: 'text' }),
  date_detail: (event) => ({ ...event, detail: new Date() }),
  json_nothing: (event) => ({ ...event, detail: { toJSON: () => undefined } }),
  cycle: (event) => ({ ...event, detail: cycle }),
  bigint: (event) => ({ ...event, detail: { n: 1n } }),
  late_cycle: async (event) => ({ ...event, detail: cycle }),
  late_rubbish: async () => 'text',
  late_bigint: async (event) => ({ ...event, detail: { n: 1n } }),
  rejects_too_late: () => new Promise((_, reject) => setTimeout(() => reject(new Error('broken hook')), 200)),
  then_throws: () => ({
    // biome-ignore lint/suspicious/noThenProperty: it is taken for a promise
    then() {
      throw new Error('broken hook');
    },
  }),
  getter_throws: (event) =>
    Object.defineProperty({ ...event }, 'detail', {
      get() {
        throw new Error('broken hook');
      },
    }),
  json_throws: (event) => ({
    ...event,
    detail: {
      toJSON() {
        throw new Error('broken hook');
      },
    },
  }),
  too_deep: (event) => {
    let detail: Detail = {};
    for (let depth = 0; depth < 1_000_000; depth += 1) detail = { detail };
    return { ...event, detail };
  },
  throws_undefined: () => {
    throw undefined;
  },
  reserved: (event) => ({ ...event, type: 'reset' }),
  also_reserved: (event) => ({ ...event, type: 'connected' }),
  reserved_prefix: (event) => ({ ...event, type: 'djr:state' }),
  user_without_id: (event) => ({ ...event, scope: 'user', userId: null }),
};

for (const hook of ['onReceive', 'beforeSend'] as const) {
  test(`Rubbish from ${hook} costs that one event, and is logged with its id and without its detail`, async (t) => {
    const app = await startApp(t, {
      hookTimeout: 100,
      [hook]: (event: Event) => (RUBBISH[event.type]?.(event) ?? (event.type in RUBBISH ? undefined : event)) as Event,
    });
    const stream = await app.stream();
    const ids = new Map<string, number>();
    for (const type of Object.keys(RUBBISH)) {
      ids.set(type, await app.realtime.publish({ scope: 'public', type, detail: { note: 'confidential' } }));
      await app.realtime.publish({ scope: 'public', type: `after_${type}` });
    }
    await stream.count(ids.size);
    t.deepEqual(
      stream.types,
      [...ids.keys()].map((type) => `after_${type}`),
    );
    const errors = app.lines.filter(({ level }) => level === 'error');
    t.deepEqual(
      errors.map(({ context }) => context.event),
      [...ids.values()],
    );
    t.false(JSON.stringify(errors).includes('confidential'));
    t.true(errors.every(({ message, context }) => message.includes(hook) && context.hook === hook));
    const metrics = await (await fetch(`${app.origin}/realtime/metrics`)).text();
    t.true(metrics.includes(`\ndjr_hook_errors_total{hook="${hook}"} ${ids.size}\n`));
  });
}

test('beforeSend is told the client and its request, and decides for that client alone', async (t) => {
  const app = await startApp(t, {
    beforeSend(event, client) {
      if (client.userId === 'bob') return null;
      const language = new URL(client.request.url).searchParams.get('language');
      event.detail.text = `${event.detail.text} ${language} ${client.request.headers.get('x-user')}`;
      (event.detail.list as unknown[]).push(client.userId);
      return event;
    },
  });
  const [alice, carol, bob] = await Promise.all([
    app.streamOf('alice', '?language=en'),
    app.streamOf('carol', '?language=de'),
    app.streamOf('bob'),
  ]);
  await app.realtime.publish({ scope: 'public', type: 'greeting', detail: { text: 'to', list: [] } });
  t.deepEqual((await alice.event('greeting')).data, { text: 'to en alice', list: ['alice'], type: 'greeting' });
  t.deepEqual((await carol.event('greeting')).data, { text: 'to de carol', list: ['carol'], type: 'greeting' });
  t.deepEqual(bob.types, []);
});

test('A beforeSend that is slow for one client keeps its order, and holds up nobody else', async (t) => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = await startApp(t, {
    beforeSend: (event, client) => (client.userId === 'slow' && event.detail.n === 0 ? gate.then(() => event) : event),
  });
  const [slow, fast] = await Promise.all([app.streamOf('slow'), app.streamOf('fast')]);
  for (let n = 0; n < 5; n += 1) await app.realtime.publish({ scope: 'public', type: 'n', detail: { n } });
  await fast.count(5);
  t.deepEqual(slow.types, []);
  release();
  await slow.count(5);
  t.deepEqual(
    slow.events.map(({ data }) => data.n),
    [0, 1, 2, 3, 4],
  );
});

test('A heartbeat promises no event that a hook still holds', async (t) => {
  let hold = true;
  const app = await startApp(t, {
    heartbeat: 100,
    hookTimeout: 60_000,
    beforeSend: (event) => (hold ? new Promise(() => {}) : event),
  });
  const stream = await app.stream();
  await app.realtime.publish({ scope: 'public', type: 'held' });
  await app.realtime.publish({ scope: 'public', type: 'behind_it' });
  const before = stream.comments.length;
  await stream.until('heartbeats', () => stream.comments.length >= before + 4);
  stream.close();
  hold = false;
  const again = await app.stream('', { lastEventId: stream.lastEventId });
  await again.count(2);
  t.deepEqual(again.types, ['held', 'behind_it']);
});

test('Subscribers get all events or those of a type, until they unsubscribe', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const all: string[] = [];
  const some: Event[] = [];
  const ended: string[] = [];
  app.realtime.subscribe((event) => all.push(event.type));
  app.realtime.subscribe('b', (event) => some.push(event));
  const unsubscribe = app.realtime.subscribe((event) => ended.push(event.type));
  const id = await app.realtime.publish({ type: 'b', userId: 7, detail: { n: 1 } });
  await until('the first event', () => all.length === 1);
  unsubscribe();
  unsubscribe();
  await app.realtime.publish({ scope: 'public', type: 'c' });
  await stream.event('c');
  t.deepEqual(all, ['b', 'c']);
  t.deepEqual(ended, ['b']);
  t.is(some.length, 1);
  const { createdAt, ...event } = some[0]!;
  t.deepEqual(event, { id, type: 'b', scope: 'user', userId: '7', topic: null, detail: { n: 1 } });
  t.true(Math.abs(createdAt.getTime() - Date.now()) < 60_000);
});

test('A subscriber that throws or changes its event is nobody else’s trouble', async (t) => {
  const app = await startApp(t);
  const stream = await app.stream();
  const seen: unknown[] = [];
  app.realtime.subscribe((event) => {
    event.detail.n = 'changed';
    throw new Error('broken subscriber');
  });
  app.realtime.subscribe(() => Promise.reject(new Error('broken subscriber')));
  app.realtime.subscribe((event) => seen.push(event.detail.n));
  const id = await app.realtime.publish({ scope: 'public', type: 'x', detail: { n: 1 } });
  t.deepEqual((await stream.event('x')).data, { n: 1, type: 'x' });
  await until('two errors in the log', () => app.lines.filter(({ level }) => level === 'error').length === 2);
  t.deepEqual(seen, [1]);
  t.true(app.lines.filter(({ level }) => level === 'error').every(({ context }) => context.event === id));
});

test('A subscriber that never answers, or answers rubbish, holds up neither clients nor other subscribers', async (t) => {
  const app = await startApp(t, { hookTimeout: 50 });
  const stream = await app.stream();
  const seen: unknown[] = [];
  const answers = [new Promise(() => {}), 1n, Symbol('x'), null, () => {}];
  for (const answer of answers) app.realtime.subscribe(() => answer);
  app.realtime.subscribe((event) => seen.push(event.detail.n));
  app.realtime.subscribe(() => ({
    // biome-ignore lint/suspicious/noThenProperty: it is taken for a promise
    get then() {
      throw new Error('broken subscriber');
    },
  }));
  for (const n of [1, 2]) await app.realtime.publish({ scope: 'public', type: 'x', detail: { n } });
  await stream.count(2);
  t.deepEqual(seen, [1, 2]);
  // Both are counted; the second of a kind has no line of its own.
  const metrics = await (await fetch(`${app.origin}/realtime/metrics`)).text();
  t.true(metrics.includes('\ndjr_hook_errors_total{hook="subscriber"} 2\n'));
  t.is(app.lines.filter(({ context }) => context.hook === 'subscriber').length, 1);
});
