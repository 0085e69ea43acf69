import test from 'ava';
import fc from 'fast-check';
import { ActivityCounter } from '../../src/activity/counter.js';
import { Client } from '../../src/clients/client.js';
import { Hub } from '../../src/clients/hub.js';
import { EVERYBODY, userAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import { connectionTo } from '../helpers/connection.js';

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
    { numRuns: 300 },
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
