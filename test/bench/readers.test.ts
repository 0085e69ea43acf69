import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { play } from '../../bench/load/readers.js';
import { until } from '../helpers/server.js';

/** A patience that no test outlives: whoever waits for it fails. */
const FOR_EVER = Number.MAX_SAFE_INTEGER;

test('A second run ends when its own events are there, and an event of the first once more is a repeat', async (t) => {
  const streams: ServerResponse[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: {"type":"connected"}\n\n');
    streams.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const readers = play();
  t.teardown(() => readers.close(null));
  const { port } = server.address() as AddressInfo;
  await readers.connect({ port, path: '/', clients: 2 });
  await until('both are open', () => streams.length === 2);
  const send = (...numbers: number[]) => {
    for (const stream of streams) stream.write(numbers.map((n) => `data: {"n":${n},"t":0}\n\n`).join(''));
  };

  await readers.expect({ events: 3, warmup: 0 });
  send(0, 1, 2);
  const first = await readers.received({ patience: FOR_EVER });
  t.like(first, { deliveries: 6, missing: 0, repeated: 0 });

  await readers.expect({ events: 2, from: 3, warmup: 0 });
  send(2, 3, 4);
  const second = await readers.received({ patience: FOR_EVER });
  t.like(second, { deliveries: 4, missing: 0, repeated: 2, foreign: 0 });
});

test('A client that is refused comes again where it is to, and the refusal is no stream that was closed', async (t) => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    if (asked === 1) return void response.writeHead(503, { Connection: 'close' }).end('{}');
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: {"type":"connected"}\n\ndata: {"n":0,"t":0}\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const readers = play();
  t.teardown(() => readers.close(null));
  const { port } = server.address() as AddressInfo;
  await readers.expect({ events: 1, warmup: 0, clients: 1 });
  t.is((await readers.connect({ port, path: '/', clients: 1, again: true })).refused, 1);
  t.like(await readers.received({ patience: FOR_EVER }), { deliveries: 1, missing: 0, closed: 0 });
});
