import test from 'ava';
import fc from 'fast-check';
import { AudienceIndex } from '../../src/clients/audience-index.js';
import { Client } from '../../src/clients/client.js';
import { EVERYBODY, topicAudience, userAudience } from '../../src/event/audience.js';
import { AudienceSet } from '../../src/event/audience-set.js';
import { hashOf } from '../../src/lib/hash-table.js';
import { connectionTo } from '../helpers/connection.js';
import { cases } from '../helpers/fuzz.js';

function clientWith(audiences: readonly string[]): Client {
  return new Client({
    userId: null,
    audiences,
    connection: connectionTo(() => {}),
    incoming: { request: () => new Request('http://localhost/') },
    types: null,
    named: false,
    maxBytes: 1024,
    beforeSend: undefined,
    onSent() {},
    onClose() {},
  });
}

const anyAudience = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'u:a', '*', '', 'é', '\n').map(userAudience),
  fc.integer({ min: 0, max: 9 }).map((room) => topicAudience(`room:${room}`)),
);
const anyStep = fc.oneof(
  fc.record({ add: fc.array(anyAudience, { maxLength: 6 }) }),
  fc.record({ remove: fc.nat() }),
  fc.record({ drop: fc.nat(), audience: anyAudience }),
);

for (const [name, hash] of [
  ['', hashOf],
  [', also where texts share a hash', (text: string) => hashOf(text) % 3],
] as const) {
  test(`The clients of an audience are those that have it, whatever joins, leaves and loses audiences${name}`, (t) => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const index = new AudienceIndex(hash);
        const clients: Client[] = [];
        for (const step of steps) {
          if ('add' in step) {
            const client = clientWith([EVERYBODY, ...step.add]);
            index.add(client);
            clients.push(client);
          } else if ('remove' in step) {
            const [client] = clients.splice(step.remove % Math.max(1, clients.length), 1);
            if (client) index.remove(client);
          } else {
            const client = clients[step.drop % Math.max(1, clients.length)];
            if (client?.audiences.has(step.audience)) index.drop(client, step.audience);
          }
        }
        const all = new Set(clients.flatMap((client) => [...client.audiences]));
        for (const audience of all) {
          if (audience === EVERYBODY) continue;
          t.true(index.has(audience));
          const found = index.of(audience);
          t.deepEqual(
            clients.filter((client) => found.includes(client)),
            clients.filter((client) => client.audiences.has(audience)),
          );
          t.is(new Set(found).size, found.length);
        }
        t.deepEqual(index.of(topicAudience('nobody')), []);
        if (hash === hashOf) t.is(index.topics, [...all].filter((audience) => audience.startsWith('t:')).length);
        for (const client of clients) index.remove(client);
        if (hash === hashOf) t.is(index.topics, 0);
        for (const audience of all) t.false(index.has(audience));
      }),
      cases(100),
    );
  });
}

test('An audience may have thousands of clients, and each is found and removed', (t) => {
  const index = new AudienceIndex();
  const room = topicAudience('room:7');
  const clients = Array.from({ length: 3000 }, (_, n) => clientWith([room, topicAudience(`own:${n}`)]));
  for (const client of clients) index.add(client);
  t.deepEqual(new Set(index.of(room)), new Set(clients));
  t.is(index.topics, 3001);
  for (const [n, client] of clients.entries()) {
    t.deepEqual(index.of(topicAudience(`own:${n}`)), [client]);
    if (n % 3 === 0) index.drop(client, room);
    else if (n % 3 === 1) index.remove(client);
  }
  t.deepEqual(new Set(index.of(room)), new Set(clients.filter((_, n) => n % 3 === 2)));
  // A list of clients is as it was when it was asked for, whoever leaves while it is read.
  const before = index.of(room);
  for (const client of before) index.drop(client, room);
  t.is(before.length, 1000);
  t.false(index.has(room));
});

test('Where topics share a hash, their clients are told apart, in groups of any size', (t) => {
  for (const count of [3, 300]) {
    const index = new AudienceIndex(() => 1);
    const [a, b] = ['a', 'b'].map(topicAudience) as [string, string];
    const of = (topics: string[]) => Array.from({ length: count }, () => clientWith(topics));
    const [some, others, both] = [of([a]), of([b]), of([b, a])];
    for (const client of [...some, ...others, ...both]) index.add(client);
    t.deepEqual(new Set(index.of(a)), new Set([...some, ...both]));
    t.deepEqual(new Set(index.of(b)), new Set([...others, ...both]));
    t.deepEqual(index.of(topicAudience('c')), []);
    for (const client of both) index.drop(client, a);
    t.deepEqual(new Set(index.of(a)), new Set(some));
    for (const client of both) index.drop(client, b);
    t.deepEqual(new Set(index.of(b)), new Set(others));
    for (const client of some) index.remove(client);
    t.deepEqual(new Set(index.of(b)), new Set(others));
    t.deepEqual(index.of(a), []);
    for (const client of others) index.remove(client);
    t.false(index.has(b));
  }
});

test('A client that loses one of two topics with the same hash is found by the other, in groups of any size', (t) => {
  for (const count of [1, 3, 300]) {
    const index = new AudienceIndex(() => 1);
    const [a, b] = ['a', 'b'].map(topicAudience) as [string, string];
    const clients = Array.from({ length: count }, () => clientWith([a, b]));
    for (const client of clients) index.add(client);
    index.drop(clients[0]!, a);
    t.deepEqual(new Set(index.of(b)), new Set(clients));
    t.deepEqual(new Set(index.of(a)), new Set(clients.slice(1)));
  }
});

test('The audience of everybody is in no group, whatever its hash', (t) => {
  const index = new AudienceIndex(() => 1);
  const a = topicAudience('a');
  const [one, other] = [clientWith([EVERYBODY, a]), clientWith([EVERYBODY])];
  index.add(one);
  index.add(other);
  index.remove(other);
  t.deepEqual(index.of(a), [one]);
  index.drop(one, a);
  t.false(index.has(a));
});

test('Topics with the same hash count once, and are none when their clients have gone', (t) => {
  const index = new AudienceIndex(() => 1);
  const client = clientWith(['a', 'b'].map(topicAudience));
  index.add(client);
  t.is(index.topics, 1);
  index.remove(client);
  t.is(index.topics, 0);
});

test('A list of few clients is as it was when it was asked for, oldest first; places of those that left are used again', (t) => {
  const index = new AudienceIndex();
  const room = topicAudience('room:7');
  const clients = Array.from({ length: 4 }, () => clientWith([room]));
  for (const client of clients.slice(0, 3)) index.add(client);
  const before = index.of(room);
  t.deepEqual(before, clients.slice(0, 3));
  index.add(clients[3]!);
  index.remove(clients[0]!);
  t.deepEqual(before, clients.slice(0, 3));
  t.deepEqual(index.of(room), clients.slice(1));
  const next = clientWith([room]);
  index.add(next);
  t.is(next.slot, clients[0]!.slot);
  t.deepEqual(index.of(room), [...clients.slice(1), next]);
});

test('A set of audiences has what it was made of, and nothing that only looks like it', (t) => {
  const anyText = fc.oneof(
    anyAudience,
    fc.string().filter((text) => text !== '' && !text.includes('\0')),
  );
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 8 }), anyText, (audiences, other) => {
      const set = new AudienceSet(audiences);
      t.deepEqual([...set], [...new Set(audiences)]);
      for (const audience of audiences) t.true(set.has(audience));
      t.is(set.has(other), audiences.includes(other));
      t.deepEqual(
        [...set.without(other)],
        [...new Set(audiences)].filter((audience) => audience !== other),
      );
    }),
    cases(100),
  );
  t.false(new AudienceSet(['u:ab']).has('u:a'));
  t.false(new AudienceSet(['u:ab']).has('b'));
  t.false(new AudienceSet(['u:*']).has(EVERYBODY));
  t.false(new AudienceSet(['**']).has(EVERYBODY));
  t.true(new AudienceSet(['u:aa', 'u:a']).has('u:a'));
});
