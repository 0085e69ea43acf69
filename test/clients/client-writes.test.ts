import test from 'ava';
import type { ClientOptions } from '../../src/clients/client.js';
import { userAudience } from '../../src/event/audience.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import { event, openClient } from './open-client.js';

/** A hook that answers when the test says so. */
function slowHook() {
  const answers: (() => void)[] = [];
  const beforeSend: ClientOptions['beforeSend'] = ({ envelope }) =>
    new Promise((resolve) => answers.push(() => resolve(envelope)));
  return { answers, beforeSend };
}

test('What waited behind a hook no longer counts once the hook has answered, however much passes in the end', async (t) => {
  const { answers, beforeSend } = slowHook();
  const { client, closed, written } = openClient({ beforeSend });
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
  const { client, closed, ends, written } = openClient({ beforeSend, maxBytes: 2 * size });
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
  const { client, sent, written } = openClient({ beforeSend });
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

test('Clients get the very same bytes where they want the same types in the same form, and no hook makes their own', (t) => {
  const variant = (options: Partial<ClientOptions>) => openClient(options).client.variant;
  t.is(variant({}), variant({}));
  t.not(variant({ named: true }), variant({}));
  t.is(variant({ types: new Set(['a', 'b']) }), variant({ types: new Set(['b', 'a']) }));
  t.not(variant({ types: new Set(['a', 'b']) }), variant({ types: new Set(['ab']) }));
  t.not(variant({ types: new Set(['a']) }), variant({}));
  t.not(variant({ types: new Set(['a']), named: true }), variant({ types: new Set(['a']) }));
  t.is(variant({ beforeSend: ({ envelope }) => envelope }), undefined);
});

test('A type that looks like a form is not taken for it', (t) => {
  const variant = (options: Partial<ClientOptions>) => openClient(options).client.variant;
  t.not(variant({ types: new Set(['named:']) }), variant({ named: true }));
  t.not(variant({ types: new Set([':']), named: true }), variant({}));
});

/** A client, and each write as a text. */
function texts(options: Partial<ClientOptions> = {}) {
  const { client, connection, ...rest } = openClient(options);
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
