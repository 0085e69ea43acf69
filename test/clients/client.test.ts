import { mock } from 'node:test';
import test from 'ava';
import { Client, type ClientOptions } from '../../src/clients/client.js';
import type { CloseReason } from '../../src/clients/close-reason.js';
import type { Connection } from '../../src/clients/connection.js';
import { EVERYBODY, userAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';

const event = (id: number, bytes = 0, userId: string | null = null) => {
  const detail = JSON.stringify({ text: 'x'.repeat(bytes) });
  return new Item(id, new Envelope(id, id, userId === null ? 'public' : 'user', userId, 'news', 0, detail), 'p');
};

/** A client whose connection keeps what it is written, and takes it or lets it wait. */
function open(options: Partial<ClientOptions> = {}) {
  const connection: Connection & { buffered: number; progress: number } = {
    write(chunk) {
      for (const [, id] of chunk.toString().matchAll(/^id: (\d+)-/gm)) written.push(Number(id));
      if (!state.waits) return true;
      connection.buffered += chunk.length;
      return false;
    },
    buffered: 0,
    progress: 0,
    end: (grace) => void ends.push(grace),
    destroy: () => void ends.push('destroyed'),
    onDrain: undefined,
  };
  const written: number[] = [];
  const ends: unknown[] = [];
  const closed: CloseReason[] = [];
  const sent: [number, string | null][] = [];
  const state = { waits: false };
  const client = new Client({
    userId: 'ada',
    audiences: [EVERYBODY, userAudience('ada')],
    connection,
    incoming: { request: () => new Request('http://localhost/') },
    types: null,
    named: false,
    maxBytes: 10_000,
    beforeSend: undefined,
    onSent: ({ id }, userId) => void sent.push([id, userId]),
    onClose: (_, reason) => void closed.push(reason),
    ...options,
  });
  return { client, connection, written, ends, closed, sent, state };
}

/** A hook that answers when the test says so. */
function slowHook() {
  const answers: (() => void)[] = [];
  const beforeSend: ClientOptions['beforeSend'] = ({ envelope }) =>
    new Promise((resolve) => answers.push(() => resolve(envelope)));
  return { answers, beforeSend };
}

test('What waited behind a hook no longer counts once the hook has answered, however much passes in the end', async (t) => {
  const { answers, beforeSend } = slowHook();
  const { client, closed, written } = open({ beforeSend });
  const { size } = event(1, 3000);
  for (let id = 1; id <= 20; id += 1) {
    client.send(event(id, 3000));
    t.is(client.buffered, size);
    t.true(client.hooksPending);
    t.false(client.idle);
    answers.shift()!();
    await client.ready();
    t.is(client.buffered, 0);
  }
  t.false(client.hooksPending);
  t.true(client.idle);
  t.deepEqual(closed, []);
  t.deepEqual(
    written,
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
});

test('A client for which more waits behind a hook than may is closed as slow', async (t) => {
  const { answers, beforeSend } = slowHook();
  const { size } = event(1, 1000);
  const { client, closed, ends, written } = open({ beforeSend, maxBytes: 2 * size });
  client.send(event(1, 1000));
  client.send(event(2, 1000));
  t.deepEqual(closed, []);
  client.send(event(3, 1000));
  t.deepEqual(closed, ['slow']);
  t.deepEqual(ends, ['destroyed']);
  for (const answer of answers) answer();
  await client.ready();
  t.deepEqual(written, []);
});

test('Events leave in order, whether their hooks answer at once or late, and each is counted for its user', async (t) => {
  const answers: (() => void)[] = [];
  const beforeSend: ClientOptions['beforeSend'] = ({ envelope }) =>
    envelope.id % 2 === 0 ? envelope : new Promise((resolve) => answers.push(() => resolve(envelope)));
  const { client, sent, written } = open({ beforeSend });
  for (const id of [1, 2, 3, 4]) client.send(event(id));
  t.deepEqual(written, []);
  for (let turns = 0; client.hooksPending && turns < 100; turns += 1) {
    answers.shift()?.();
    await new Promise(setImmediate);
  }
  t.deepEqual(written, [1, 2, 3, 4]);
  t.deepEqual(
    sent,
    [1, 2, 3, 4].map((id) => [id, 'ada']),
  );
  t.is(client.sent, 4);
});

test('A client may have what is its own or for everybody, of the types it asked for, and nothing else', (t) => {
  const all = open().client;
  t.true(all.wants(event(1)));
  t.true(all.wants(event(1, 0, 'ada')));
  t.false(all.wants(event(1, 0, 'bob')));
  t.false(all.wants(new Item(1, new Envelope(1, 1, 'system', null, 'news', 0, '{}'), 'p')));
  t.true(open({ types: new Set(['news']) }).client.wants(event(1)));
  t.false(open({ types: new Set(['other']) }).client.wants(event(1)));
});

test('The bytes that may wait are a bound: one that is reached is kept to, one more closes the client', (t) => {
  const { client, closed, ends, state } = open({ maxBytes: 100 });
  state.waits = true;
  client.write(Buffer.alloc(100));
  t.deepEqual(closed, []);
  t.is(client.bytes, 100);
  client.write(Buffer.alloc(1));
  t.deepEqual(closed, ['slow']);
  t.deepEqual(ends, ['destroyed']);
  client.write(Buffer.alloc(1));
  client.close('client');
  t.deepEqual(closed, ['slow'], 'it is closed once');
  t.is(client.bytes, 101);
});

test('A client is stalled for as long as none of the bytes that wait goes', (t) => {
  const { client, connection, state } = open();
  t.is(client.stalledFor(1000), 0);
  state.waits = true;
  client.write(Buffer.alloc(10), 1000);
  client.write(Buffer.alloc(10), 1400);
  t.is(client.stalledSince, 1000);
  t.is(client.lastWrite, 1400);
  client.stalledFor(1000);
  t.is(client.stalledFor(1500), 500);
  connection.progress = 5;
  t.is(client.stalledFor(2000), 0, 'some have gone');
  t.is(client.stalledFor(2300), 300);
  connection.onDrain!();
  t.is(client.stalledFor(5000), 0);
});

test('ready() waits until what is buffered has gone, or the client is closed', async (t) => {
  const { client, connection, state } = open();
  await client.ready();
  state.waits = true;
  client.write(Buffer.alloc(10));
  t.false(client.idle);
  let ready = 0;
  const count = () => {
    ready += 1;
  };
  const both = [client.ready().then(count), client.ready().then(count)];
  await new Promise(setImmediate);
  t.is(ready, 0);
  connection.onDrain!();
  await Promise.all(both);
  t.is(ready, 2);
  t.true(client.idle);
  client.write(Buffer.alloc(10));
  const last = client.ready();
  client.close('client');
  await last;
  await client.ready();
  t.false(client.idle);
});

test('A client that cannot keep up is cut off at once; one that ends in order may take what is buffered, for less time in a shutdown', (t) => {
  const endsOf = (reason: CloseReason) => {
    const { client, ends } = open();
    client.close(reason);
    return ends;
  };
  for (const reason of ['slow', 'stalled'] as const) t.deepEqual(endsOf(reason), ['destroyed']);
  for (const reason of ['client', 'lifetime', 'replaced', 'disconnected', 'interrupted'] as const) {
    t.deepEqual(endsOf(reason), [5000], reason);
  }
  t.deepEqual(endsOf('shutdown'), [500]);
});

test('A response that throws costs its own client, which is closed', (t) => {
  const { client, closed, connection } = open();
  connection.write = () => {
    throw new Error('write after end');
  };
  connection.end = () => {
    throw new Error('ended');
  };
  client.write(Buffer.from('x'));
  t.deepEqual(closed, ['client']);
});

test('The last words of a stream are written before it ends; where they cannot be, it ends all the same', (t) => {
  const { client, closed, written } = open();
  client.close('replaced', event(7).frame(false));
  t.deepEqual(written, [7]);
  t.deepEqual(closed, ['replaced']);
  const full = open({ maxBytes: 10 });
  full.state.waits = true;
  full.client.close('replaced', event(7).frame(false));
  t.deepEqual(full.closed, ['slow']);
});

test('Large events of which no more find room in half of the bound put a client behind that reads; it is not closed', (t) => {
  const behind: number[] = [];
  const { client, closed, connection } = open({ onBehind: (_, { envelope }) => void behind.push(envelope.id) });
  client.live = true;
  const large = event(1, 9000);
  t.false(client.fallsBehind([large], 20_000), 'a single one always goes where nothing waits');
  t.is(client.maxBytes, 4 * Buffer.byteLength(large.envelope.detailText), 'some of the largest may wait');
  const half = client.maxBytes / 2;
  t.false(client.fallsBehind([event(2), event(3)], half));
  t.true(client.live);
  connection.buffered = 1;
  t.true(client.fallsBehind([event(4), event(5)], half));
  t.deepEqual(behind, [4]);
  t.false(client.live);
  t.true(client.behind);
  t.deepEqual(closed, []);
  t.false(open().client.fallsBehind([event(1), event(2)], 2 ** 30), 'there is nobody to bring it what it misses');
});

test('A hook is told of the client, whose Request is made once, when it is asked for', (t) => {
  const request = mock.fn(() => new Request('http://localhost/x'));
  const { client } = open({ incoming: { request } });
  t.is(request.mock.callCount(), 0);
  t.is(client.request, client.request);
  t.is(client.request.url, 'http://localhost/x');
  t.is(request.mock.callCount(), 1);
});

test('Clients get the very same bytes where they want the same types in the same form, and no hook makes their own', (t) => {
  const variant = (options: Partial<ClientOptions>) => open(options).client.variant;
  t.is(variant({}), variant({}));
  t.not(variant({ named: true }), variant({}));
  t.is(variant({ types: new Set(['a', 'b']) }), variant({ types: new Set(['b', 'a']) }));
  t.not(variant({ types: new Set(['a', 'b']) }), variant({ types: new Set(['ab']) }));
  t.not(variant({ types: new Set(['a']) }), variant({}));
  t.not(variant({ types: new Set(['a']), named: true }), variant({ types: new Set(['a']) }));
  t.is(variant({ beforeSend: ({ envelope }) => envelope }), undefined);
});

test('A type that looks like a form is not taken for it', (t) => {
  const variant = (options: Partial<ClientOptions>) => open(options).client.variant;
  t.not(variant({ types: new Set(['named:']) }), variant({ named: true }));
  t.not(variant({ types: new Set([':']), named: true }), variant({}));
});

test('A new client is not live yet, and hears in silence that its stream lives unless it asks otherwise', (t) => {
  t.false(open().client.live);
  t.is(open().client.pulse, 'silent');
  t.is(open({ pulse: 'visible' }).client.pulse, 'visible');
});

/** A client, and each write as a text. */
function texts(options: Partial<ClientOptions> = {}) {
  const { client, connection, ...rest } = open(options);
  const writes: string[] = [];
  connection.write = (chunk) => {
    writes.push(chunk.toString());
    return true;
  };
  return { client, writes, connection, ...rest };
}
const textOf = (item: Item, position = item.position) =>
  new Item(item.sequence, item.envelope, position).frame(false).toString();

test('An event is written with its own position, or with that of a client that resumes', (t) => {
  const { client, writes } = texts();
  client.send(event(1));
  client.send(event(2), 'q');
  client.send(event(3, 0, 'bob'));
  t.deepEqual(writes, [textOf(event(1)), textOf(event(2), 'q')]);
  client.close('client');
  client.send(event(4));
  t.is(writes.length, 2);
});

test('Events that come together are one write, without those that the client does not want', (t) => {
  const { client, writes, sent } = texts();
  client.sendAll([event(1), event(2, 0, 'bob'), event(3)]);
  client.sendAll([event(4), event(5)], 'q');
  client.sendAll([event(6)], 'p');
  client.sendAll([event(7, 0, 'bob')]);
  client.sendAll([]);
  t.deepEqual(writes, [
    textOf(event(1)) + textOf(event(3)),
    textOf(event(4), 'q') + textOf(event(5), 'q'),
    textOf(event(6)),
  ]);
  t.deepEqual(
    sent.map(([id]) => id),
    [1, 3, 4, 5, 6],
  );
});

for (const late of [false, true]) {
  test(`What a hook answers ${late ? 'late' : 'at once'} is written: the event, another one, or nothing`, async (t) => {
    const other = new Envelope(2, 2, 'public', null, 'other', 0, '{}');
    const { client, writes, sent } = texts({
      beforeSend: ({ envelope }) => {
        const answer = envelope.id === 1 ? null : envelope.id === 2 ? other : envelope;
        return late ? Promise.resolve(answer) : answer;
      },
    });
    client.sendAll([event(1), event(2), event(3)]);
    client.sendAll([event(4), event(5, 0, 'bob')], 'q');
    await client.ready();
    t.deepEqual(writes, [textOf(new Item(2, other, 'p')), textOf(event(3)), textOf(event(4), 'q')]);
    t.deepEqual(
      sent.map(([id]) => id),
      [2, 3, 4],
    );
  });
}

test('What a client loses the right to while a hook works on it is not written', async (t) => {
  const asked: number[] = [];
  const answers: (() => void)[] = [];
  const { client, writes } = texts({
    beforeSend: ({ envelope }) => {
      asked.push(envelope.id);
      return new Promise((resolve) => answers.push(() => resolve(envelope)));
    },
  });
  client.send(event(1, 0, 'ada'));
  client.send(event(2, 0, 'ada'));
  client.audiences = client.audiences.without(userAudience('ada'));
  answers[0]!();
  await client.ready();
  t.deepEqual(writes, []);
  t.deepEqual(asked, [1], 'the hook is not asked for what waited behind it');
});

test('Some of the largest events may wait for a client whatever its bound is, and small ones are no reason to widen it', (t) => {
  const bounds = (bytes: number) => {
    const { client } = open({ maxBytes: 100 });
    client.send(event(1, bytes));
    const one = client.maxBytes;
    client.sendAll([event(2, 2 * bytes)]);
    return [one, client.maxBytes];
  };
  const size = (bytes: number) => Buffer.byteLength(event(1, bytes).envelope.detailText);
  t.deepEqual(bounds(9000), [4 * size(9000), 4 * size(18_000)]);
  t.deepEqual(bounds(90), [100, 100]);
});

test('Nothing that waits and one event alone, or little beside others: only more than that puts a client behind', (t) => {
  const behind = (buffered: number, events: number) => {
    const { client, connection } = open({ onBehind() {}, maxBytes: 1000 });
    connection.buffered = buffered;
    return client.fallsBehind(
      Array.from({ length: events }, (_, i) => event(i)),
      600,
    );
  };
  t.false(behind(0, 1));
  t.true(behind(0, 2));
  t.true(behind(1, 1));
  t.false(open({ onBehind() {} }).client.fallsBehind([], 2 ** 30));
});
