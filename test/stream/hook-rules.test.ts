import test from 'ava';
import type { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import { openClient } from '../clients/open-client.js';
import { stayAlive } from '../helpers/alive.js';
import { bothWays, event, hooksOf, metricsOf } from './stages.js';

test('Without hooks an event goes on as it is, and beforeSend costs nothing', (t) => {
  const { hooks } = hooksOf();
  const one = event(1);
  t.is(hooks.receive(one), one);
  t.false(hooks.hasReceive);
  t.is(hooks.beforeSend, undefined);
  t.true(hooksOf({ onReceive: (given) => given }).hooks.hasReceive);
});

test('What onReceive returns goes on, null stops the event, and the same event is the same envelope', async (t) => {
  for (const onReceive of bothWays((given) => ({ ...given, detail: { n: 2 } }))) {
    const received = await hooksOf({ onReceive }).hooks.receive(event(1));
    t.is(received?.detailText, '{"n":2}');
    t.is(received?.id, 1);
  }
  for (const onReceive of bothWays(() => null)) {
    const { hooks, lines, activity } = hooksOf({ onReceive });
    t.is(await hooks.receive(event(1)), null);
    t.deepEqual([hooks.suppressed, hooks.errors.onReceive], [{ onReceive: 1, beforeSend: 0 }, 0]);
    t.deepEqual([lines, activity.size], [[], 0]);
  }
  const one = event(1);
  t.is(hooksOf({ onReceive: (given) => given }).hooks.receive(one), one);
});

test('What is no event goes no further: it is counted, logged with its number, and no error of anybody', async (t) => {
  const changed = (more: object) => (given: object) => ({ ...given, ...more });
  for (const answer of [
    () => {
      throw new Error('broken');
    },
    () => undefined,
    () => 'event',
    () => 7,
    () => ({}),
    changed({ type: '' }),
    changed({ type: 'connected' }),
    changed({ type: 7 }),
    changed({ detail: null }),
    changed({ detail: [] }),
    changed({ detail: 'x' }),
    changed({ detail: undefined }),
    changed({ scope: 'control' }),
    changed({ scope: 'user' }),
    changed({ userId: 'ada' }),
    changed({ topic: 'room:7' }),
  ]) {
    for (const onReceive of bothWays(answer)) {
      const { hooks, lines, activity } = hooksOf({ onReceive });
      t.is(await hooks.receive(event(7)), null, `${answer}`);
      t.deepEqual(hooks.errors, { onReceive: 1, beforeSend: 0, subscriber: 0 });
      t.is(hooks.suppressed.onReceive, 0);
      t.is(lines.length, 1);
      t.like(lines[0], { level: 'error', message: 'onReceive failed for event 7' });
      t.like(lines[0]!.context, { event: 7, type: 'note', hook: 'onReceive' });
      t.deepEqual(activity.take(1), [{ event: 7, status: 'error', userId: null, recipients: null }]);
    }
  }
});

test('The log says what a hook must return', async (t) => {
  const isEvent = /^a hook must return the event, or null to stop it$/;
  const hasDetail = /^the detail that a hook returns must be an object$/;
  for (const [answer, said] of [
    [undefined, isEvent],
    ['event', isEvent],
    [7, isEvent],
    [{}, isEvent],
    [{ type: 7 }, isEvent],
    [Object.assign(() => {}, { type: 'note', detail: {} }), isEvent],
    [{ type: 'note', detail: null }, hasDetail],
    [{ type: 'note', detail: [] }, hasDetail],
    [{ type: 'note', detail: 'x' }, hasDetail],
    [{ type: 'note' }, hasDetail],
    [{ type: 'note', detail: {}, scope: 'user' }, /^the scope, the userId and the topic that a hook returns must fit/],
    [{ ...event(1).toEvent(), type: 'connected' }, /^a hook must not give an event the reserved type connected$/],
  ] as const) {
    const { hooks, lines } = hooksOf({ onReceive: (() => answer) as never });
    t.is(await hooks.receive(event(1)), null);
    t.regex((lines[0]!.context.err as Error).message, said);
  }
});

test('A hook that does not answer in time stops that one event', async (t) => {
  stayAlive(t);
  const { hooks } = hooksOf({ onReceive: () => new Promise(() => {}) });
  t.is(await hooks.receive(event(1)), null);
  t.is(hooks.errors.onReceive, 1);
});

test('An event that has a reserved type already may keep it', (t) => {
  const { hooks } = hooksOf({ onReceive: (given) => ({ ...given, detail: { n: 3 } }) });
  t.is((hooks.receive(event(1, 'connected')) as Envelope).detailText, '{"n":3}');
});

test('beforeSend is asked for each client, and counts for each', async (t) => {
  const asked: unknown[] = [];
  const { hooks, activity, lines } = hooksOf({
    beforeSend(given, client) {
      asked.push([given.id, client.userId]);
      if (given.id === 2) return null;
      if (given.id === 3) throw new Error('broken');
      return given;
    },
  });
  const { client } = openClient();
  const sent = (id: number) => hooks.beforeSend!(new Item(id, event(id), 'p'), client);
  t.is((sent(1) as Envelope).id, 1);
  t.is(sent(2), null);
  t.is(sent(3), null);
  t.deepEqual(asked, [
    [1, 'ada'],
    [2, 'ada'],
    [3, 'ada'],
  ]);
  t.deepEqual([hooks.suppressed.beforeSend, hooks.errors.beforeSend], [1, 1]);
  t.like(lines[0], { message: 'beforeSend failed for event 3' });
  t.deepEqual(activity.take(5), [{ event: 3, status: 'error', userId: 'ada', recipients: 1 }]);
});

test('A subscriber gets the events of its type, or all, until it ends; its errors are logged and counted', (t) => {
  const { hooks, lines } = hooksOf();
  const got: string[] = [];
  hooks.emit(event(1));
  const ends = [
    hooks.subscribe('note', ({ id }) => got.push(`note ${id}`)),
    hooks.subscribe(null, ({ id }) => got.push(`all ${id}`)),
    hooks.subscribe('note', ({ id }) => {
      if (id === 2) throw new Error('broken');
      got.push(`other ${id}`);
    }),
  ];
  hooks.emit(event(2));
  hooks.emit(event(3, 'else'));
  ends[0]!();
  hooks.emit(event(4));
  t.deepEqual(got, ['all 2', 'note 2', 'all 3', 'all 4', 'other 4']);
  t.is(hooks.errors.subscriber, 1);
  t.like(lines[0], { level: 'error', message: 'subscriber failed for event 2' });
  for (const end of ends) end();
  hooks.emit(event(5));
  t.is(got.length, 5);
});

test('Of two subscribers that fail, the log has both', (t) => {
  const { hooks, lines } = hooksOf();
  for (const message of ['one', 'two']) {
    hooks.subscribe('note', () => {
      throw new Error(message);
    });
  }
  hooks.emit(event(1));
  t.deepEqual(
    lines.map(({ context }) => (context.err as Error).message),
    ['one', 'two'],
  );
});

test('A subscriber that is too slow loses events, which is counted and logged', (t) => {
  const { hooks, lines } = hooksOf();
  const end = hooks.subscribe('note', () => new Promise(() => {}));
  for (let id = 1; id <= 10_101; id += 1) hooks.emit(event(id));
  end();
  t.is(hooks.dropped, 1);
  t.is(lines.length, 1);
  t.like(lines[0], { level: 'error', context: { event: 10_101, type: 'note', dropped: 1 } });
});

test('Hooks and subscribers have their metrics', (t) => {
  const { hooks } = hooksOf({ onReceive: () => null });
  void hooks.receive(event(1));
  t.deepEqual(metricsOf(hooks)(), {
    djr_events_suppressed_total: 1,
    'djr_hook_errors_total hook': { onReceive: 0, beforeSend: 0, subscriber: 0 },
    djr_subscriber_dropped_total: 0,
  });
});
