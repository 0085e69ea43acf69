import test from 'ava';
import type { ActivityCounter } from '../../src/activity/counter.js';
import { Client, type ClientOptions } from '../../src/clients/client.js';
import { groupsOf } from '../../src/clients/groups.js';
import { Sending } from '../../src/clients/sending.js';
import { EVERYBODY, topicAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';

const event = (id: number, type = 'news', bytes = 0) =>
  new Item(id, new Envelope(id, id, 'public', null, type, 0, `{"x":"${'x'.repeat(bytes)}"}`), 'p');

function reader(options: Partial<ClientOptions> = {}) {
  const writes: number[][] = [];
  const client = new Client({
    userId: null,
    audiences: [EVERYBODY],
    connection: {
      write(chunk) {
        writes.push([...chunk.toString().matchAll(/^id: (\d+)-/gm)].map(([, id]) => Number(id)));
        return true;
      },
      buffered: 0,
      progress: 0,
      end() {},
      destroy() {},
      onDrain: undefined,
    },
    incoming: { request: () => new Request('http://localhost/') },
    types: null,
    named: false,
    maxBytes: 1_000_000,
    beforeSend: undefined,
    onSent() {},
    onClose() {},
    ...options,
  });
  client.live = true;
  return { client, writes };
}

/** Sends these to all of them, and says what was counted: each event, for whom, how often. */
function send(items: Item[], readers: { client: Client }[], level: ActivityCounter['level'] = 'off') {
  const counted: [number, string | null, number][] = [];
  const activity = {
    level,
    sent: ({ id }: Envelope, userId: string | null, clients: number) => void counted.push([id, userId, clients]),
  } as unknown as ActivityCounter;
  const sending = new Sending(items, 1000, activity);
  for (const { client } of readers) sending.to(client);
  sending.end();
  return counted;
}

test('Each client gets in one write what it wants of the events, and nothing while it is not live', (t) => {
  const [all, some, none, resuming] = [
    reader(),
    reader({ types: new Set(['b']) }),
    reader({ types: new Set(['c']) }),
    reader(),
  ];
  resuming.client.live = false;
  const [again, someAgain] = [reader(), reader({ types: new Set(['b']) })];
  send([event(1, 'a'), event(2, 'b'), event(3, 'b')], [all, some, none, again, someAgain, resuming]);
  t.deepEqual(all.writes, [[1, 2, 3]]);
  t.deepEqual(again.writes, [[1, 2, 3]]);
  t.deepEqual(some.writes, [[2, 3]]);
  t.deepEqual(someAgain.writes, [[2, 3]]);
  t.deepEqual([none.writes, resuming.writes], [[], []]);
  t.deepEqual(
    [all, some, none].map(({ client }) => client.sent),
    [3, 2, 0],
  );
  t.is(all.client.lastWrite, 1000);
});

test('What was written is counted for each event, once however many forms it had', (t) => {
  const readers = () => [reader(), reader({ named: true }), reader(), reader({ types: new Set(['b']) })];
  const sum = (counted: [number, string | null, number][], event: number) =>
    counted.filter(([id]) => id === event).reduce((all, [, , clients]) => all + clients, 0);
  const counted = send([event(1, 'a'), event(2, 'b')], readers(), 'summary');
  t.is(sum(counted, 1), 3);
  t.is(sum(counted, 2), 4);
  t.true(counted.every(([, userId]) => userId === null));
  t.deepEqual(send([event(1)], readers(), 'off'), []);
  t.deepEqual(send([event(1)], [], 'summary'), []);
});

test('Where it is asked for, it is counted for each user', (t) => {
  const readers = [reader({ userId: 'ada' }), reader({ userId: 'bob' }), reader({ userId: 'ada' }), reader()];
  t.deepEqual(send([event(1)], readers, 'full'), [
    [1, 'ada', 2],
    [1, 'bob', 1],
    [1, null, 1],
  ]);
});

test('A client with a hook gets each event by itself', (t) => {
  const asked: number[] = [];
  const hooked = reader({
    beforeSend: ({ envelope }) => {
      asked.push(envelope.id);
      return envelope.id === 2 ? null : envelope;
    },
  });
  send([event(1), event(2), event(3)], [hooked]);
  t.deepEqual(asked, [1, 2, 3]);
  t.deepEqual(hooked.writes, [[1], [3]]);
});

test('A client that has no room for large events falls behind, with a hook and without; others get them', (t) => {
  const behind: number[] = [];
  const slow = (beforeSend?: ClientOptions['beforeSend']) =>
    reader({ beforeSend, onBehind: (_, { envelope }) => void behind.push(envelope.id) });
  const hook: ClientOptions['beforeSend'] = ({ envelope }) => envelope;
  const large = [event(1, 'a'), event(2, 'a', 400_000), event(3, 'a', 400_000), event(4, 'a')];
  const [plain, hooked, quick] = [slow(), slow(hook), reader()];
  Object.assign(plain.client, { maxBytes: 1000 });
  for (const { client } of [plain, hooked]) {
    Object.defineProperty(client, 'buffered', { get: () => 3_000_000 });
  }
  send(large, [plain, hooked, quick]);
  t.deepEqual(behind, [1, 2]);
  t.deepEqual(plain.writes, []);
  t.deepEqual(hooked.writes, [[1]]);
  t.deepEqual(quick.writes, [[1, 2, 3, 4]]);
  const small = slow();
  Object.defineProperty(small.client, 'buffered', { get: () => 3_000_000 });
  send([event(5), event(6)], [small]);
  t.deepEqual(small.writes, [[5, 6]], 'small ones are written, and the bound is looked at then');
});

test('Clients are grouped by which of the audiences they have', (t) => {
  const [one, two, three, four] = [1, 2, 3, 4].map(() => reader().client);
  const audiences = ['a', 'b', 'c'].map(topicAudience);
  const groups = [
    ...groupsOf(
      [
        [one!, two!],
        [two!, three!, four!],
        [four!, one!],
      ],
      audiences,
    ),
  ];
  const found = groups.map((group) => ({
    audiences: group.audiences,
    clients: group.clients.map((client) => [one, two, three, four].indexOf(client)),
  }));
  t.deepEqual(found, [
    { audiences: ['t:a', 't:c'], clients: [0] },
    { audiences: ['t:a', 't:b'], clients: [1] },
    { audiences: ['t:b'], clients: [2] },
    { audiences: ['t:b', 't:c'], clients: [3] },
  ]);
  const alike = [
    ...groupsOf(
      [
        [one!, two!],
        [one!, two!],
      ],
      audiences,
    ),
  ];
  t.deepEqual(
    alike.map(({ audiences, clients }) => [audiences, clients.length]),
    [[['t:a', 't:b'], 2]],
  );
});
