import test from 'ava';
import { EVERYBODY } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import { parsePosition } from '../../src/event/position.js';
import { Delivery, type DeliveryOptions } from '../../src/stream/delivery.js';
import { Head } from '../../src/stream/head.js';
import { History } from '../../src/stream/history.js';
import type { HooksOptions } from '../../src/stream/hooks.js';
import { openClient } from '../clients/open-client.js';
import { recordingLogger } from '../helpers/server.js';
import { bothWays, event, hooksOf, metricsOf } from './stages.js';

test('Each event has the next place, and an id with which a client goes on behind it; one that is not stored has no place of its own', (t) => {
  const feed = { reached: new Frontier('e', 1000, 10, 10, []) };
  let overflows = 0;
  const head = new Head({ order: 'here', feed, onOverflow: () => (overflows += 1) });
  const before = head.position;
  const [one, unstored, two] = [event(11), event(12, 'note', { xid: null, unstored: true }), event(13)].map((each) =>
    head.next(each),
  );
  t.deepEqual(
    [one!, unstored!, two!].map(({ sequence, order }) => [sequence, order]),
    [
      [1, 1],
      [1, 2],
      [2, 3],
    ],
  );
  t.deepEqual([one!.before, unstored!.before, two!.before], [before, one!.position, unstored!.position]);
  t.is(head.position, two!.position);
  const read = parsePosition(`0-${head.position}`)!;
  t.like(read, { instance: 'here', sequence: 2 });
  t.true(read.ahead!.has(event(13)));
  feed.reached = new Frontier('e', 2000, 20, 20, []);
  t.is(parsePosition(`0-${head.position}`)!.ahead, undefined, 'the frontier has them now');
  for (let n = 0; n < 33; n += 1) head.next(event(100 + 2 * n));
  t.is(overflows, 1);
});

/** A delivery, and what each of its parts was called for. */
function deliveryOf(options: Partial<DeliveryOptions> & Partial<HooksOptions> = {}) {
  const calls: unknown[][] = [];
  const call =
    (name: string) =>
    (...values: unknown[]) =>
      void calls.push([
        name,
        ...values.map((value) =>
          value instanceof Item ? value.envelope.id : value instanceof Envelope ? value.id : value,
        ),
      ]);
  const history = new History(100, 1_000_000);
  const { hooks, lines, activity } = hooksOf({ onReceive: options.onReceive });
  const hub = { deliver: call('hub'), clients: [] as unknown[], delivered: 5 };
  const feed = { reached: new Frontier('e', 1000, 1, 1, []) };
  const delivery = new Delivery({
    order: new Head({ order: 'here', feed, onOverflow() {} }),
    history,
    hooks,
    hub,
    topics: { order: async (envelope: Envelope) => call('order')(envelope) },
    presence: { heard: call('heard'), resync: call('resync') },
    consumers: { wake: call('wake') },
    activity,
    lag: { record: call('lag') },
    logger: recordingLogger().logger,
    ...options,
  } as unknown as DeliveryOptions);
  return { delivery, calls, history, hooks, hub, lines, activity };
}

test('An event wakes consumers, is remembered, counted, handed to subscribers, and then to clients', async (t) => {
  for (const onReceive of [undefined, ...bothWays((given) => given)]) {
    const { delivery, calls, history, hooks, activity } = deliveryOf({ onReceive });
    hooks.subscribe(null, ({ id }) => calls.push(['subscriber', id]));
    await delivery.deliver(event(7));
    t.deepEqual(
      calls.filter(([name]) => name !== 'lag'),
      [
        ['wake', 7],
        ['subscriber', 7],
        ['hub', 7],
      ],
    );
    const [, lag] = calls.find(([name]) => name === 'lag') as [string, number];
    t.true(Math.abs(lag - Date.now()) < 60_000, 'since 1970, as this event was');
    t.deepEqual(
      history.all().map(({ sequence }) => sequence),
      [1],
    );
    t.is(delivery.history, history);
    t.is(delivery.newest?.id, 7);
    t.is(delivery.count, 1);
    t.like(activity.take(1), [{ event: 7, status: 'dispatched' }]);
  }
});

test('What onReceive stops, or is not stored, is not remembered', async (t) => {
  const stopped = deliveryOf({ onReceive: () => null });
  await stopped.delivery.deliver(event(7));
  t.deepEqual([stopped.calls, stopped.history.length], [[['wake', 7]], 0]);
  const { delivery, calls, history } = deliveryOf();
  await delivery.deliver(event(8, 'note', { xid: null, unstored: true }));
  t.deepEqual([calls.at(-1), history.length, delivery.newest], [['hub', 8], 0, undefined]);
  await delivery.deliver(event(9, 'note', { xid: null }));
  t.is(history.length, 1, 'storage is off: it is all that a resume has');
});

test('An order is carried out, reaches no client, and its failure is logged', async (t) => {
  const { logger, lines } = recordingLogger();
  const { delivery, calls, history } = deliveryOf({ logger });
  await delivery.deliver(event(7, 'recheck', { scope: 'control' }));
  t.deepEqual(
    [calls, history.length],
    [
      [
        ['wake', 7],
        ['order', 7],
      ],
      0,
    ],
  );
  const failing = deliveryOf({ logger, topics: { order: () => Promise.reject(new Error('broken')) } as never });
  await failing.delivery.deliver(event(8, 'recheck', { scope: 'control' }));
  await new Promise(setImmediate);
  t.like(lines, [{ level: 'error', message: 'recheck could not be carried out whole', context: { event: 8 } }]);
});

test('What was stored before the start is remembered in its order, without orders; with onReceive the newest of it', async (t) => {
  const stored = Array.from({ length: 1250 }, (_, n) => event(n + 1, 'note', n === 1200 ? { scope: 'control' } : {}));
  const all = deliveryOf();
  t.is(await all.delivery.remember(stored.slice(1199, 1202)), 3);
  t.deepEqual(
    all.history.all().map(({ envelope }) => envelope.id),
    [1200, 1202],
  );
  for (const onReceive of bothWays((given) => {
    const { id, scope } = given as { id: number; scope: string };
    t.not(scope, 'control');
    return id === 1250 ? null : given;
  })) {
    const { delivery, history } = deliveryOf({ onReceive, history: new History(2000, 10_000_000) });
    t.is(await delivery.remember(stored), 1000);
    const ids = delivery.history.all().map(({ envelope }) => envelope.id);
    t.deepEqual(
      ids,
      Array.from({ length: 1000 }, (_, n) => 251 + n).filter((id) => id !== 1201 && id !== 1250),
    );
    t.is(history.length, 0);
  }
  const few = deliveryOf({ onReceive: (given) => given });
  t.is(await few.delivery.remember(stored.slice(0, 50)), 50);
});

test('What a source reports reaches presence and clients', (t) => {
  const { delivery, calls, hub, activity } = deliveryOf();
  delivery.setActivity('off');
  t.is(activity.level, 'off');
  delivery.presenceChanged(['a']);
  delivery.presenceChanged(null);
  delivery.reconnected();
  t.deepEqual(calls, [['heard', ['a']], ['heard', null], ['resync']]);
  const without = deliveryOf({ presence: undefined }).delivery;
  t.notThrows(() => {
    without.presenceChanged(null);
    without.reconnected();
  });
  const { client, connection, closed } = openClient({ audiences: [EVERYBODY] });
  let text = '';
  connection.write = (chunk) => {
    text += chunk;
    return true;
  };
  hub.clients.push(client);
  delivery.replaced();
  t.regex(text, /"type":"reset","reason":"the database was replaced or restored"/);
  delivery.interrupted();
  t.deepEqual(closed, ['interrupted']);
});

test('Events taken in and deliveries have their metrics', async (t) => {
  const { delivery } = deliveryOf();
  await delivery.deliver(event(7));
  t.deepEqual(metricsOf(delivery)(), {
    djr_events_total: 1,
    'djr_deliveries_total result': { sent: 5, suppressed: 0, failed: 0 },
  });
});
