import test from 'ava';
import fc from 'fast-check';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Client, type ClientOptions } from '../../src/clients/client.js';
import { Hub } from '../../src/clients/hub.js';
import { EVERYBODY, topicAudience, userAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import type { Meter } from '../../src/lib/meter.js';
import { connectionTo } from '../helpers/connection.js';
import { cases } from '../helpers/fuzz.js';
import { event, openClient } from './open-client.js';

interface Reader {
  client: Client;
  ids: number[];
  writes: number;
}

/** A client whose connection takes everything, and remembers the ids. */
function reader(userId: string | null, types: string[] | null, hooked: boolean): Reader {
  const result = { ids: [] as number[], writes: 0 };
  const connection = connectionTo((chunk) => {
    result.writes += 1;
    for (const match of chunk.toString().matchAll(/^id: (\d+)-/gm)) result.ids.push(Number(match[1]));
  });
  const client = new Client({
    userId,
    audiences: userId === null ? [EVERYBODY] : [EVERYBODY, userAudience(userId)],
    connection,
    incoming: { request: () => new Request('http://localhost/') },
    types: types && new Set(types),
    named: false,
    maxBytes: 1024,
    beforeSend: hooked ? (item) => item.envelope : undefined,
    onSent() {},
    onClose() {},
  });
  return Object.assign(result, { client });
}

const anyEvent = fc.record({
  userId: fc.constantFrom(null, 'a', 'b', 'c'),
  type: fc.constantFrom('x', 'y'),
  flush: fc.constantFrom(false, false, true),
});
const anyReader = fc.record({
  userId: fc.constantFrom(null, 'a', 'b'),
  types: fc.constantFrom<(string[] | null)[]>(null, ['x'], ['x', 'y'], ['z']),
  hooked: fc.boolean(),
});

test('Each client gets what is public or its own, of the types it asked for, in order, in one write a turn', (t) => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), fc.array(anyReader, { maxLength: 8 }), (events, wanted) => {
      const hub = new Hub({
        heartbeat: 60_000,
        writeTimeout: 60_000,
        position: () => 'p',
        activity: new ActivityCounter(100),
      });
      const readers = wanted.map(({ userId, types, hooked }) => reader(userId, types, hooked));
      for (const { client } of readers) {
        hub.admit(client);
        hub.join(client);
      }
      let turns = 1;
      for (const [i, { userId, type, flush }] of events.entries()) {
        const envelope = new Envelope(i + 1, 5, userId === null ? 'public' : 'user', userId, type, 0, '{}');
        hub.deliver(new Item(i + 1, envelope, 'p'));
        if (flush) {
          hub.flush();
          turns += 1;
        }
      }
      hub.flush();
      for (const [i, { client, ids, writes }] of readers.entries()) {
        const { userId, types, hooked } = wanted[i]!;
        const expected = events.flatMap((event, n) =>
          (event.userId === null || event.userId === userId) && (types === null || types.includes(event.type))
            ? [n + 1]
            : [],
        );
        t.deepEqual(ids, expected);
        if (!hooked) t.true(writes <= turns);
        hub.leave(client);
      }
      t.is(hub.size, 0);
    }),
    cases(300),
  );
  t.pass();
});

test('A client that leaves or joins within a turn gets nothing of what was before or after', (t) => {
  const hub = new Hub({
    heartbeat: 60_000,
    writeTimeout: 60_000,
    position: () => 'p',
    activity: new ActivityCounter(100),
  });
  const [early, late] = [reader('a', null, false), reader('a', null, false)];
  const deliver = (id: number, userId: string | null) =>
    hub.deliver(new Item(id, new Envelope(id, 5, userId === null ? 'public' : 'user', userId, 'x', 0, '{}'), 'p'));
  hub.admit(early.client);
  hub.join(early.client);
  deliver(1, 'a');
  deliver(2, null);
  hub.admit(late.client);
  hub.join(late.client);
  deliver(3, null);
  deliver(4, 'a');
  hub.leave(early.client);
  hub.flush();
  t.deepEqual(early.ids, [1, 2]);
  t.deepEqual(late.ids, [3, 4]);
  hub.leave(late.client);
});

test('An event does not wait until thousands of clients have had their heartbeats', async (t) => {
  const hub = new Hub({ heartbeat: 1, writeTimeout: 60_000, position: () => 'p', activity: new ActivityCounter(100) });
  const frames: string[] = [];
  const clients: Client[] = [];
  const last = new Promise<void>((resolve) => {
    for (let place = 0; place < 2000; place += 1) {
      const connection = connectionTo((chunk) => {
        if (place === 0 && frames.length === 0) {
          hub.deliver(new Item(1, new Envelope(1, 5, 'public', null, 'x', 0, '{}'), 'p'));
        }
        if (place === 0 || place === 1999) frames.push(`${place} ${/^:/.test(String(chunk)) ? 'heartbeat' : 'event'}`);
        if (place === 1999) resolve();
      });
      const none = { types: null, named: false, beforeSend: undefined, userId: null };
      clients.push(
        new Client({
          ...none,
          audiences: [EVERYBODY],
          connection,
          incoming: { request: () => new Request('http://localhost/') },
          maxBytes: 1024,
          onSent() {},
          onClose() {},
        }),
      );
    }
  });
  for (const client of clients) {
    hub.admit(client);
    hub.join(client);
  }
  await last;
  for (const client of clients) hub.leave(client);
  t.deepEqual(frames.slice(0, 3), ['0 heartbeat', '0 event', '1999 event']);
});

const newHub = () =>
  new Hub({ heartbeat: 60_000, writeTimeout: 60_000, position: () => 'p', activity: new ActivityCounter(100) });

/** A client that is live, and leaves the hub when it is closed. */
function enter(hub: Hub, options: Partial<ClientOptions> = {}) {
  const opened = openClient({ onClose: (client) => hub.leave(client), ...options });
  hub.admit(opened.client);
  hub.join(opened.client);
  return opened;
}

const said = (id: number, topic: string) =>
  new Item(id, new Envelope(id, id, 'topic', null, 'said', 0, '{}', topic), 'p');

test('The events of a turn are written at its end, in every turn', async (t) => {
  const hub = newHub();
  const { client, written } = enter(hub);
  for (const id of [1, 3]) {
    hub.deliver(event(id));
    hub.deliver(event(id + 1));
    t.is(written.length, id - 1);
    await Promise.resolve();
    t.is(written.length, id + 1);
  }
  hub.leave(client);
});

test('A client with several topics gets the events of a turn in their order, and no other client gets them', (t) => {
  const hub = newHub();
  const [a, b] = ['a', 'b'].map(topicAudience) as [string, string];
  const both = enter(hub, { audiences: [EVERYBODY, a, b] });
  const one = enter(hub, { audiences: [EVERYBODY, a] });
  const none = enter(hub, { audiences: [] });
  for (const turn of [0, 10]) {
    if (turn) hub.deliver(event(turn));
    hub.deliver(said(turn + 1, 'b'));
    hub.deliver(said(turn + 2, 'a'));
    hub.deliver(event(turn + 3));
    hub.deliver(said(turn + 4, 'b'));
    hub.deliver(said(turn + 5, 'nobody'));
    hub.deliver(new Item(turn + 6, new Envelope(turn + 6, 5, 'system', null, 'x', 0, '{}'), 'p'));
    hub.flush();
  }
  t.deepEqual(both.written, [1, 2, 3, 4, 10, 11, 12, 13, 14]);
  t.deepEqual(one.written, [2, 3, 10, 12, 13]);
  t.deepEqual(none.written, []);
  for (const { client } of [both, one, none]) hub.leave(client);
});

test('A frame that is no event goes to the clients of a user behind the events of the turn, and past those that resume', (t) => {
  const hub = newHub();
  const written: string[] = [];
  const [live, behind, resuming, excepted, other] = ['live', 'behind', 'resuming', 'excepted', 'other'].map((name) => {
    const connection = connectionTo((chunk) =>
      written.push(`${name} ${/^event|^data|^id/.test(`${chunk}`) ? 'event' : chunk}`),
    );
    return enter(hub, { connection, audiences: [EVERYBODY, userAudience(name === 'other' ? 'bob' : 'ada')] }).client;
  }) as [Client, Client, Client, Client, Client];
  for (const client of [behind, resuming]) client.live = false;
  behind.behind = true;
  hub.deliver(event(1, 0, 'ada'));
  hub.tell(userAudience('ada'), Buffer.from('word'), new Set([excepted]));
  t.deepEqual(written, ['live event', 'excepted event', 'live word', 'behind word']);
  hub.join(behind);
  t.false(behind.behind);
  hub.tell(userAudience('bob'), Buffer.from('word'));
  t.deepEqual(written.slice(4), ['other word']);
  for (const client of [live, behind, resuming, excepted, other]) hub.leave(client);
});

test('A client that loses a topic gets what was published before that, and the others keep it', (t) => {
  const hub = newHub();
  const audiences = [EVERYBODY, topicAudience('a')];
  const [slow, other] = [enter(hub, { audiences, maxBytes: 10 }), enter(hub, { audiences })];
  const apart = enter(hub, { audiences: [topicAudience('b')] });
  hub.drop(other.client, topicAudience('b'));
  slow.state.waits = true;
  hub.deliver(said(1, 'a'));
  // It is closed meanwhile, as it does not read.
  hub.drop(slow.client, topicAudience('a'));
  t.true(slow.client.closed);
  hub.deliver(said(2, 'a'));
  hub.drop(other.client, topicAudience('a'));
  hub.deliver(said(3, 'a'));
  hub.deliver(event(4));
  hub.deliver(said(5, 'b'));
  hub.flush();
  t.deepEqual(other.written, [1, 2, 4]);
  t.deepEqual(apart.written, [5], 'who did not have it has not taken it from others');
  for (const { client } of [other, apart]) hub.leave(client);
});

test('A client that is closed before it was live does not become so', (t) => {
  const hub = newHub();
  const { client } = openClient({ onClose: (one) => hub.leave(one) });
  hub.admit(client);
  client.close('client');
  hub.join(client);
  t.false(client.live);
  t.is(hub.size, 0);
});

test('What was written stays counted when clients have gone; what waits and what is open is of those that are here', (t) => {
  const hub = newHub();
  const values = new Map<string, () => number | undefined>();
  const add = (name: string, _: string, read: () => number | undefined) => void values.set(name, read);
  hub.metrics({ gauge: add, counter: add } as unknown as Meter);
  const read = () => Object.fromEntries([...values].map(([name, value]) => [name, value()]));
  const audiences = [EVERYBODY, topicAudience('a')];
  const [first, second] = [enter(hub, { audiences }), enter(hub, { audiences })];
  second.state.waits = true;
  hub.deliver(event(1));
  hub.flush();
  const { bytes } = first.client;
  t.true(bytes > 0);
  const expected = { djr_sent_bytes_total: 2 * bytes, djr_topics: 1 };
  t.deepEqual(read(), { ...expected, djr_connections: 2, djr_buffered_bytes: bytes });
  t.deepEqual([...hub.clientsOf(EVERYBODY)], [first.client, second.client]);
  const before = hub.clientsOf(EVERYBODY);
  hub.leave(first.client);
  hub.leave(first.client);
  t.deepEqual(read(), { ...expected, djr_connections: 1, djr_buffered_bytes: bytes });
  t.deepEqual([...before], [first.client, second.client]);
  t.deepEqual([...hub.clients], [second.client]);
  t.deepEqual([...hub.clientsOf(topicAudience('a'))], [second.client]);
  t.is(hub.delivered, 2);
  hub.leave(second.client);
  t.deepEqual(read(), { djr_sent_bytes_total: 2 * bytes, djr_topics: 0, djr_connections: 0, djr_buffered_bytes: 0 });
  t.is(hub.delivered, 2);
});

test('A hub without clients keeps no timer, and one with clients keeps one', (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const hub = newHub();
  const before = timers();
  const [first, second] = [enter(hub), enter(hub)];
  t.is(timers(), before + 1);
  hub.leave(first.client);
  t.is(timers(), before + 1);
  hub.leave(second.client);
  t.is(timers(), before);
});
