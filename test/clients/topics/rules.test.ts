import { mock } from 'node:test';
import test from 'ava';
import { EVERYBODY, topicAudience, userAudience } from '../../../src/event/audience.js';
import { Envelope } from '../../../src/event/envelope.js';
import { Item } from '../../../src/event/item.js';
import type { Meter } from '../../../src/lib/meter.js';
import { clock, enter, NOW, openTopics, order } from './simulated-topics.js';

test('The app is asked for what no seal allows: its option first, then the database', async (t) => {
  const asked: unknown[] = [];
  const { topics, said } = openTopics({
    authorizeTopic(...values) {
      asked.push(values);
      return values[1] === 'a';
    },
  });
  said.authorize = async (questions) => ({ allowed: questions.map(({ topic }) => topic === 'b'), failure: null });
  const { topics: allowed, refused } = await topics.heard(null, ['a', 'b', 'c'], []);
  t.deepEqual(
    [...allowed],
    [
      ['a', Number.POSITIVE_INFINITY],
      ['b', Number.POSITIVE_INFINITY],
    ],
  );
  t.deepEqual([...refused.keys()], ['c']);
  t.deepEqual(asked, [
    [null, 'a'],
    [null, 'b'],
    [null, 'c'],
  ]);
  t.is(said.asked.flat().length, 2);
  t.is(topics.failures, 0);
});

test('disconnect ends the streams of its user, and of nobody else', async (t) => {
  const { topics, hub } = openTopics();
  const [ada, bob, named] = [enter(hub, 'ada', ['a']), enter(hub, 'bob', ['a']), enter(hub, 'null', [])];
  await topics.order(order('disconnect', null));
  t.deepEqual(
    [ada, bob, named].map(({ reasons }) => reasons),
    [[], [], []],
  );
  await topics.order(order('disconnect', 'ada', { reason: 'logged out' }));
  t.deepEqual(
    [ada, bob].map(({ reasons }) => reasons),
    [['disconnected'], []],
  );
  t.regex(ada.texts.at(-1)!, /"type":"disconnected","reason":"logged out"/);
  await topics.order(order('disconnect', 'bob', { reason: 7 }));
  t.regex(bob.texts.at(-1)!, /\{"type":"disconnected"\}/);
  hub.leave(named.client);
});

test('recheck asks anew for the streams that it names; who may no longer hear a topic is told, and keeps the rest', async (t) => {
  const { topics, hub, said } = openTopics();
  said.authorize = async (questions) => ({ allowed: questions.map(({ topic }) => topic === 'b'), failure: null });
  const [ada, bob, other] = [enter(hub, 'ada', ['a', 'b']), enter(hub, 'bob', ['a']), enter(hub, 'cy', ['c'])];
  await topics.order(order('recheck', 'ada'));
  t.deepEqual(said.asked.flat(), [
    { userId: 'ada', topic: 'a' },
    { userId: 'ada', topic: 'b' },
  ]);
  t.deepEqual(
    ada.texts.map((text) => text.trim()),
    ['data: {"type":"left","topic":"a","reason":"the permission was taken back"}'],
  );
  t.deepEqual([...ada.client.audiences], [EVERYBODY, userAudience('ada'), topicAudience('b')]);
  t.deepEqual(said.presence, ['left a']);
  t.deepEqual(bob.texts, []);
  await topics.order(order('recheck', null, { topic: 'a' }));
  t.is(bob.texts.length, 1);
  await topics.order(order('recheck', 'cy', { topic: 'a' }));
  t.deepEqual(other.texts, []);
  await topics.order(order('recheck', null));
  t.is(other.texts.length, 1);
  t.is(said.presence.length, 3);
  t.false(said.asked.flat().some(({ userId, topic }) => userId === 'cy' && topic === 'a'));
  const asked = said.asked.length;
  await topics.order(order('else', 'ada'));
  t.is(said.asked.length, asked);
  for (const { client } of [ada, bob, other]) hub.leave(client);
});

test.serial('A stream that opens while an order comes is concerned by it', async (t) => {
  clock(t);
  const { topics } = openTopics();
  const since = performance.now();
  t.false(topics.concerned('ada', ['a'], since));
  await topics.order(order('recheck', null, { topic: 'a' }));
  t.true(topics.concerned('ada', ['a'], since));
  t.false(topics.concerned('ada', ['b'], since));
  await topics.order(order('disconnect', 'ada'));
  t.true(topics.concerned('ada', [], since));
});

test.serial('A client loses a topic when the seal for it ends, and keeps the rest', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const pass = clock(t);
  const { topics, hub, said } = openTopics();
  const [one, lasting] = [enter(hub, 'ada', ['a', 'b', 'c']), enter(hub, 'bob', ['a'])];
  const never = Number.POSITIVE_INFINITY;
  const heard = new Map([
    ['a', NOW + 400],
    ['b', NOW + 900],
    ['c', never],
  ]);
  topics.watch(one.client, { topics: heard, refused: new Map() });
  topics.watch(lasting.client, { topics: new Map([['a', never]]), refused: new Map() });
  const gone = enter(hub, 'cy', ['a']);
  topics.watch(gone.client, { topics: new Map([['a', NOW + 1]]), refused: new Map() });
  topics.forget(gone.client);
  t.deepEqual(said.presence.splice(0), ['came', 'came', 'came', 'went']);
  const look = (milliseconds: number) => {
    pass(milliseconds);
    mock.timers.tick(500);
    return one.texts.map((text) => /"topic":"(.)","reason":"the seal has expired"/.exec(text)?.[1]);
  };
  t.deepEqual(look(399), []);
  t.deepEqual(look(1), ['a']);
  t.deepEqual(look(499), ['a']);
  t.deepEqual(look(1), ['a', 'b']);
  t.deepEqual(look(10_000), ['a', 'b']);
  t.deepEqual([...one.client.audiences], [EVERYBODY, userAudience('ada'), topicAudience('c')]);
  t.deepEqual(said.presence.splice(0), ['left a', 'left b']);
  t.deepEqual([lasting.texts, gone.texts], [[], []]);
  for (const { client } of [one, lasting, gone]) hub.leave(client);
});

test.serial(
  'A client that is closed as the events before the end of its seal are written is not counted out of the topic again',
  (t) => {
    mock.timers.enable({ apis: ['setInterval'] });
    t.teardown(() => mock.timers.reset());
    const pass = clock(t);
    const { topics, hub, said } = openTopics();
    const { client, connection, reasons } = enter(hub, 'ada', ['a']);
    topics.watch(client, { topics: new Map([['a', NOW + 100]]), refused: new Map() });
    client.maxBytes = 10;
    connection.write = (chunk) => {
      connection.buffered += chunk.length;
      return false;
    };
    hub.deliver(new Item(1, new Envelope(1, 1, 'topic', null, 'said', 0, '{}', 'a'), 'p'));
    pass(100);
    mock.timers.tick(500);
    t.deepEqual(reasons, ['slow']);
    t.deepEqual(said.presence, ['came']);
  },
);

test('Topics have their metrics', (t) => {
  const values = new Map<string, () => unknown>();
  const add = (name: string, _: string, read: () => unknown) => void values.set(name, read);
  const addAll = (name: string, _: string, label: string, read: () => unknown) =>
    void values.set(`${name} ${label}`, read);
  const meter = { gauge: add, counter: add, counters: addAll } as unknown as Meter;
  const read = () => Object.fromEntries([...values].map(([name, value]) => [name, value()]));
  openTopics().topics.metrics(meter);
  t.deepEqual(read(), {
    'djr_topics_refused_total reason': { name: 0, permission: 0, user: 0, expired: 0, revoked: 0 },
    djr_topic_authorization_failures_total: 0,
    djr_presence_users: 3,
  });
  openTopics({ presence: undefined }).topics.metrics(meter);
  t.is(read().djr_presence_users, undefined);
});

test('A topic that is taken back twice at the same time is left once, also where presence is off', async (t) => {
  const { topics, hub } = openTopics({ presence: undefined });
  const ada = enter(hub, 'ada', ['a']);
  topics.watch(ada.client, { topics: new Map(), refused: new Map() });
  await Promise.all([topics.order(order('recheck', 'ada')), topics.order(order('recheck', null, { topic: 'a' }))]);
  t.is(ada.texts.length, 1);
  topics.forget(ada.client);
  hub.leave(ada.client);
});
