import test from 'ava';
import { startApp, type TestApp } from '../helpers/server.js';

/** What Node's fetch sends, and an EventSource of a browser does not send without `Cache-Control: no-cache`. */
const BY_FETCH = { 'sec-fetch-mode': 'cors' };
const BY_EVENT_SOURCE = { ...BY_FETCH, 'cache-control': 'no-cache' };

const probe = (app: TestApp, headers: Record<string, string> = {}, query = '') =>
  fetch(`${app.origin}/realtime/sse/?probe=1${query}`, { headers });

test('A probe is answered with 204 and no body, and opens no stream', async (t) => {
  const app = await startApp(t);
  const answer = await probe(app, { 'x-user': 'ada' });
  t.is(answer.status, 204);
  t.is(await answer.text(), '');
  t.is(answer.headers.get('content-type'), null);
  t.is(answer.headers.get('cache-control'), 'private, no-store', 'it says whether somebody is logged in');
  t.regex(await (await fetch(`${app.origin}/realtime/metrics`)).text(), /^djr_connections 0$/m);
});

test('Probes keep no place, of the instance, of an address or of a user', async (t) => {
  const app = await startApp(t, { maxConnections: 1, maxConnectionsPerAddress: 1, maxConnectionsPerUser: 1 });
  for (let i = 0; i < 5; i++) t.is((await probe(app, { 'x-user': 'ada' })).status, 204);
  const stream = await app.streamOf('ada');
  t.is(stream.status, 200);
});

test('A probe is refused as the stream would be: by authenticate, by origin, by its query, for want of a place', async (t) => {
  const app = await startApp(t, {
    maxConnections: 1,
    authenticate: (request) => {
      const user = request.headers.get('x-user');
      if (user === 'mallory') throw new Error('who?');
      if (user === 'banned') throw new Response('no', { status: 402 });
      return user;
    },
  });
  t.is((await probe(app, { 'x-user': 'mallory' })).status, 401);
  t.is((await probe(app, { 'x-user': 'banned' })).status, 402);
  t.is((await probe(app, { origin: 'https://evil.example' })).status, 403);
  t.is((await probe(app, {}, `&types=${'a,'.repeat(101)}`)).status, 400);
  await app.stream();
  const full = await probe(app);
  t.is(full.status, 503);
  t.is(full.headers.get('retry-after'), '5');
});

test('A probe of an instance that is shutting down is a 503', async (t) => {
  const app = await startApp(t);
  await app.realtime.stop();
  t.is((await probe(app)).status, 503);
});

test('Who asks for heartbeats gets them as frames with an id, and is told their interval and the delay of a reconnect', async (t) => {
  const app = await startApp(t, { heartbeat: 100 });
  const stream = await app.stream('?heartbeat=1');
  t.deepEqual(stream.frames[0]!.data, { type: 'connected', heartbeat: 100, retry: stream.retry });
  const { id, event, text } = await stream.event('heartbeat');
  t.is(text, '{"type":"heartbeat"}');
  t.is(event, undefined);
  t.regex(id!, /^0-[0-9a-z.]+$/);
  t.deepEqual(stream.comments, []);
});

test('The id of a visible heartbeat is one to resume from', async (t) => {
  const app = await startApp(t, { heartbeat: 100 });
  const stream = await app.stream('?heartbeat=1');
  const { id } = await stream.event('heartbeat');
  stream.close();
  await app.db.query("select djr.publish_global('missed')");
  const again = await app.stream(`?heartbeat=1&lastEventId=${id}`);
  t.true(again.frames[0]!.data.resuming);
  await again.event('missed');
  t.deepEqual(again.types, ['missed']);
  t.deepEqual(again.resets, []);
});

test('Nobody else gets heartbeats as frames', async (t) => {
  const app = await startApp(t, { heartbeat: 100 });
  const others = await Promise.all([
    app.stream(),
    app.stream('?heartbeat=0'),
    app.stream('?named=1'),
    app.stream('', { headers: BY_EVENT_SOURCE }),
    app.stream('', { headers: BY_FETCH }),
  ]);
  const asked = await app.stream('?heartbeat=1');
  await asked.event('heartbeat');
  for (const stream of others) {
    await stream.until('two heartbeats', () => stream.comments.length > 1);
    t.is(stream.frames.length, 1, 'connected alone');
    t.deepEqual(Object.keys(stream.frames[0]!.data), ['type']);
    t.deepEqual([...new Set(stream.comments)], ['heartbeat']);
  }
});

test('Before a shutdown a last heartbeat says when to come back, to those alone who asked for heartbeats', async (t) => {
  const app = await startApp(t, { retry: 20_000 });
  const [asked, other] = await Promise.all([app.stream('?heartbeat=1'), app.stream()]);
  await app.realtime.stop();
  await Promise.all([asked.end(), other.end()]);
  const last = asked.frames.at(-1)!.data as { type: string; retry: number };
  t.is(last.type, 'heartbeat');
  t.true(last.retry >= 500 && last.retry <= 5000, `${last.retry}`);
  t.is(asked.retry, last.retry, 'as retry: says it');
  t.deepEqual(
    other.frames.map(({ data }) => data.type),
    ['connected'],
  );
  t.true(other.retry! >= 500 && other.retry! <= 5000);
});

/** Frames of a stream, comments left out: what stands between two blank lines. */
const framesOf = (raw: string) =>
  raw
    .replaceAll(/^:.*\n/gm, '')
    .split('\n\n')
    .slice(0, -1);

test('A reader that is built on fetch never gets a frame without data', async (t) => {
  const app = await startApp(t, { heartbeat: 100 });
  const fetched = await app.stream('', { headers: BY_FETCH });
  await fetched.until('two heartbeats', () => fetched.comments.length > 1);
  await app.db.query("select djr.publish_global('seen')");
  const { id } = await fetched.event('seen');
  await fetched.until('more heartbeats', () => fetched.comments.length > 3);
  t.is(fetched.lastEventId, id!, 'its id moves with events alone');
  await app.db.query("select djr.publish_global('missed')");
  const resumed = await app.stream('', { headers: BY_FETCH, lastEventId: id! });
  await resumed.event('missed');
  await app.realtime.stop();
  await Promise.all([fetched.end(), resumed.end()]);
  for (const { raw } of [fetched, resumed])
    for (const frame of framesOf(raw)) t.regex(frame, /^data: /m, JSON.stringify(raw));
});

test("A browser's EventSource, which fetches, too, gets ids with its heartbeats", async (t) => {
  const app = await startApp(t, { heartbeat: 100 });
  const stream = await app.stream('', { headers: BY_EVENT_SOURCE });
  await stream.until('a heartbeat with an id', () => /: heartbeat\nid: 0-[0-9a-z.]+\n\n/.test(stream.raw));
  t.is(stream.frames.length, 1);
});

test("With named=1 each event has its type as its name, but for those of an EventSource's own events", async (t) => {
  const app = await startApp(t);
  const stream = await app.stream('?named=1');
  await app.db.query("select djr.publish_global('open'), djr.publish_global('opened'), djr.publish_global('message')");
  const frames = await stream.count(3);
  t.deepEqual(
    frames.map(({ event, data }) => [event, data.type]),
    [
      [undefined, 'open'],
      ['opened', 'opened'],
      ['message', 'message'],
    ],
  );
});
