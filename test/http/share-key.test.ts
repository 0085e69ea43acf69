import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { createRealtime, type RealtimeOptions } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { startApp } from '../helpers/server.js';
import type { Stream } from '../helpers/stream.js';

async function startInstance(t: ExecutionContext, options: RealtimeOptions): Promise<string> {
  const realtime = createRealtime({ authenticate: (request) => request.headers.get('x-user'), ...options });
  const server = createServer(realtime.handler);
  await realtime.start();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    await realtime.stop();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/realtime/sse/?shareKey=1`;
}

/** The key in the connected frame of a stream. */
async function keyOf(stream: string, headers: Record<string, string>): Promise<string> {
  const abort = new AbortController();
  const response = await fetch(stream, { headers, signal: abort.signal });
  const frames = response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const { value } = await frames.getReader().read();
  abort.abort();
  return JSON.parse(value!.data).key;
}

test('The connected frame tells users apart without naming them, alike on every instance', async (t) => {
  const { url: database } = await createDatabase(t);
  const [one, other] = [await startInstance(t, { database }), await startInstance(t, { database })];
  const alice = await keyOf(one, { 'x-user': 'alice', cookie: 'session=1' });
  t.is(await keyOf(other, { 'x-user': 'alice', cookie: 'session=2' }), alice);
  t.not(await keyOf(one, { 'x-user': 'bob' }), alice);
  t.not(await keyOf(one, {}), alice);
  t.false(alice.includes('alice'));
});

test('Where beforeSend decides by client, the credentials of one user are told apart as well', async (t) => {
  const { url: database } = await createDatabase(t);
  const stream = await startInstance(t, { database, beforeSend: (event) => event });
  const key = await keyOf(stream, { 'x-user': 'alice', cookie: 'session=1' });
  t.is(await keyOf(stream, { 'x-user': 'alice', cookie: 'session=1' }), key);
  for (const [address, headers] of [
    [stream, { cookie: 'session=2' }],
    [stream, { cookie: 'session=1', authorization: 'Bearer x' }],
    [`${stream}&token=x`, { cookie: 'session=1' }],
  ] as const) {
    const different = await keyOf(address, { 'x-user': 'alice', ...headers });
    t.not(different, key);
    t.is(different.split('.')[0], key.split('.')[0], 'the user is the same');
  }
});

const connected = ({ frames }: Stream) => frames.map(({ data }) => data).filter(({ type }) => type === 'connected');

test('To who asks for the key, the connected message says that a resume follows, and comes once more at its end', async (t) => {
  const { db, stream } = await startApp(t, { historyEvents: 1 });
  const [row] = await db.query<{ position: string }>('select djr.position() as position');
  const since = encodeURIComponent(row!.position);
  await db.query(`select djr.publish_global('n', '{}') from generate_series(1, 300)`);
  const sharing = await stream(`?shareKey=1&since=${since}`);
  await sharing.until('the end of the resume', () => connected(sharing).length === 2);
  const [begin, end] = [sharing.frames[0]!.data, sharing.frames.at(-1)!.data];
  t.is(begin.resuming, true);
  t.deepEqual(end, { type: 'connected', key: begin.key });
  t.is(new Set(sharing.events.map(({ id }) => Number.parseInt(id!, 10))).size, 300);

  const fresh = await stream('?shareKey=1');
  t.deepEqual(fresh.frames[0]!.data, { type: 'connected', key: begin.key });
  const bare = await stream(`?since=${since}`);
  await db.query(`select djr.publish_global('last', '{}')`);
  await bare.event('last');
  t.deepEqual(connected(bare), [{ type: 'connected', resuming: true }]);
});
