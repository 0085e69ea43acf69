import { mock } from 'node:test';
import test from 'ava';
import type { CloseReason } from '../../src/clients/close-reason.js';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import { event, openClient } from './open-client.js';

test('A client may have what is its own or for everybody, of the types it asked for, and nothing else', (t) => {
  const all = openClient().client;
  t.true(all.wants(event(1)));
  t.true(all.wants(event(1, 0, 'ada')));
  t.false(all.wants(event(1, 0, 'bob')));
  t.false(all.wants(new Item(1, new Envelope(1, 1, 'system', null, 'news', 0, '{}'), 'p')));
  t.true(openClient({ types: new Set(['news']) }).client.wants(event(1)));
  t.false(openClient({ types: new Set(['other']) }).client.wants(event(1)));
});

test('The bytes that may wait are a bound: one that is reached is kept to, one more closes the client', (t) => {
  const { client, closed, ends, state } = openClient({ maxBytes: 100 });
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
  const { client, connection, state } = openClient();
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
  const { client, connection, state } = openClient();
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
    const { client, ends } = openClient();
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
  const { client, closed, connection } = openClient();
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
  const { client, closed, written } = openClient();
  client.close('replaced', event(7).frame(false));
  t.deepEqual(written, [7]);
  t.deepEqual(closed, ['replaced']);
  const full = openClient({ maxBytes: 10 });
  full.state.waits = true;
  full.client.close('replaced', event(7).frame(false));
  t.deepEqual(full.closed, ['slow']);
});

test('Large events of which no more find room in half of the bound put a client behind that reads; it is not closed', (t) => {
  const behind: number[] = [];
  const { client, closed, connection } = openClient({ onBehind: (_, { envelope }) => void behind.push(envelope.id) });
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
  t.false(openClient().client.fallsBehind([event(1), event(2)], 2 ** 30), 'there is nobody to bring it what it misses');
});

test('A hook is told of the client, whose Request is made once, when it is asked for', (t) => {
  const request = mock.fn(() => new Request('http://localhost/x'));
  const { client } = openClient({ incoming: { request } });
  t.is(request.mock.callCount(), 0);
  t.is(client.request, client.request);
  t.is(client.request.url, 'http://localhost/x');
  t.is(request.mock.callCount(), 1);
});

test('A new client is not live yet, and hears in silence that its stream lives unless it asks otherwise', (t) => {
  t.false(openClient().client.live);
  t.is(openClient().client.pulse, 'silent');
  t.is(openClient({ pulse: 'visible' }).client.pulse, 'visible');
});

test('What a hook makes of an event may wait for a client as well, however large it is', (t) => {
  const { client, closed, state } = openClient({ maxBytes: 10_000, beforeSend: () => event(1, 30_000).envelope });
  state.waits = true;
  client.send(event(1));
  t.deepEqual(closed, []);
  for (let id = 2; id <= 6; id += 1) client.send(event(id));
  t.deepEqual(closed, ['slow'], 'the bound holds');
});

test('Some of the largest events may wait for a client whatever its bound is, and small ones are no reason to widen it', (t) => {
  const bounds = (bytes: number) => {
    const { client } = openClient({ maxBytes: 100 });
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
    const { client, connection } = openClient({ onBehind() {}, maxBytes: 1000 });
    connection.buffered = buffered;
    return client.fallsBehind(
      Array.from({ length: events }, (_, i) => event(i)),
      600,
    );
  };
  t.false(behind(0, 1));
  t.true(behind(0, 2));
  t.true(behind(1, 1));
  t.false(openClient({ onBehind() {} }).client.fallsBehind([], 2 ** 30));
});
