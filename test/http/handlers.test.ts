import { get, type IncomingMessage, type RequestListener } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { createParser } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { createRealtime } from '../../src/index.js';
import { byHeader, listen, startApp, until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

test('The handler passes on what is not its own, and answers 404 where nobody else can', async (t) => {
  const app = await startApp(t);
  const mounted = await listen(t, (req, res) => app.realtime.handler(req, res, () => res.end('from the app')));
  for (const path of ['/', '/realtimes', '/real', '/other/realtime/sse/']) {
    t.is(await (await fetch(mounted.origin + path)).text(), 'from the app', path);
    t.is((await fetch(app.origin + path)).status, 404, path);
  }
  t.is((await fetch(`${mounted.origin}/realtime/healthz`)).status, 200);
});

test('Mounted as Express and Connect do it, with the mount path cut off the URL', async (t) => {
  const app = await startApp(t);
  const mounted = await listen(t, (req, res) => {
    const request = req as IncomingMessage & { originalUrl: string };
    request.originalUrl = req.url!;
    req.url = req.url!.replace(/^\/realtime/, '') || '/';
    app.realtime.handler(req, res, () => res.end('next'));
  });
  const stream = await mounted.stream('?named=1');
  await app.realtime.publish({ scope: 'public', type: 'x' });
  t.is((await stream.event('x')).event, 'x');
});

test('A request that names the whole address is answered as one that names its path', async (t) => {
  const app = await startApp(t);
  const ask = (target: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(app.origin);
      const request = get({ host: '127.0.0.1', port, path: target }, (response) => {
        resolve(response.statusCode);
        request.destroy();
      });
      request.once('error', reject);
    });
  for (const prefix of [app.origin, app.origin.toUpperCase(), 'https://example.com']) {
    t.is(await ask(`${prefix}/realtime/sse/?types=a`), 200, prefix);
    t.is(await ask(`${prefix}/realtime/healthz`), 200, prefix);
    t.is(await ask(`${prefix}/other`), 404, prefix);
    t.is(await ask(`${prefix}?a=/realtime/healthz`), 404, prefix);
    t.is(await ask(prefix), 404, prefix);
  }
});

test('A base path of one’s own, with or without a slash at the end', async (t) => {
  const app = await startApp(t);
  for (const basePath of ['/app/live', '/app/live/']) {
    const second = await startApp(t, { basePath }, app.db);
    const stream = await openStream(t, `${second.origin}/app/live/sse/`);
    t.is(stream.status, 200);
    const bare = await openStream(t, `${second.origin}/app/live/sse`);
    t.is(bare.status, 200);
    t.is((await fetch(`${second.origin}/realtime/sse/`)).status, 404);
    t.true(second.realtime.scriptTag().includes('src="/app/live/djr.js" data-endpoint="/app/live/sse/"'));
  }
});

test('At the root of a host the paths are its own', async (t) => {
  const app = await startApp(t, { basePath: '/' });
  t.is((await openStream(t, `${app.origin}/sse/`)).status, 200);
  t.is((await fetch(`${app.origin}/djr.js`)).status, 200);
});

test('The first request connects to the database', async (t) => {
  const app = await startApp(t);
  const realtime = createRealtime({ database: app.db.url });
  t.teardown(() => realtime.stop());
  const server = await listen(t, realtime.handler);
  await until('a request is let in', async () => {
    const left = new AbortController();
    const { status, headers } = await fetch(`${server.origin}/realtime/sse/`, { signal: left.signal });
    left.abort();
    // One that waits for longer than five seconds is told to come again.
    if (status !== 200) t.deepEqual([status, headers.get('retry-after')], [503, '2']);
    return status === 200;
  });
  const stream = await server.stream();
  await app.realtime.publish({ scope: 'public', type: 'x' });
  await stream.event('x');
  t.is(stream.status, 200);
});

test('The Fetch handler streams, and lets go of a client that aborts', async (t) => {
  const app = await startApp(t, { maxConnections: 1 });
  const url = 'http://app.example.com/realtime/sse/?named=1';
  const open = (signal?: AbortSignal) =>
    app.realtime.fetch(new Request(url, { headers: { 'x-user': 'alice' }, signal }));
  const abort = new AbortController();
  const response = await open(abort.signal);
  t.is(response.status, 200);
  t.is(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const frames = response
    .body!.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  t.is((await frames.read()).value!.data, '{"type":"connected"}');
  await app.realtime.publish({ type: 'x', userId: 'alice', detail: { n: 1 } });
  const { value } = await frames.read();
  t.is(value!.event, 'x');
  t.deepEqual(JSON.parse(value!.data), { n: 1, type: 'x' });
  t.is((await open()).status, 503);

  abort.abort();
  let next = await open();
  t.is(next.status, 200);
  await next.body!.cancel();
  next = await open();
  t.is(next.status, 200, 'a body that is cancelled is a client that has gone');
  await next.body!.cancel();
});

test('A Fetch request that is aborted before its stream begins leaves nothing behind', async (t) => {
  let arrived = () => {};
  const there = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = await startApp(t, {
    maxConnectionsPerUser: 1,
    authenticate: async () => {
      arrived();
      await gate;
      return 'alice';
    },
  });
  const url = 'http://app.example.com/realtime/sse/';
  const abort = new AbortController();
  const first = app.realtime.fetch(new Request(url, { signal: abort.signal }));
  await there;
  abort.abort();
  release();
  await first;
  const second = await app.realtime.fetch(new Request(url));
  t.is(second.status, 200);
  await second.body!.cancel();
});

test('The Fetch handler answers everything else as well', async (t) => {
  const app = await startApp(t);
  const ask = (path: string, init?: RequestInit) =>
    app.realtime.fetch(new Request(`http://app.example.com${path}`, init));
  t.is((await ask('/other')).status, 404);
  t.is((await ask('/realtime/healthz')).status, 200);
  const script = await ask('/realtime/djr.js');
  t.is(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
  t.true((await script.text()).length > 1000);
  t.is((await ask('/realtime/djr.js', { headers: { 'if-none-match': script.headers.get('etag')! } })).status, 304);
  t.is(await (await ask('/realtime/djr.js', { method: 'HEAD' })).text(), '');
  const wrong = await ask('/realtime/sse/', { method: 'POST' });
  t.is(wrong.status, 405);
  t.is(wrong.headers.get('allow'), 'GET, OPTIONS');
  t.is((await ask('/realtime/sse/', { headers: { origin: 'https://evil.example.com' } })).status, 403);
});

test('A Fetch client that does not read is closed at its bound', async (t) => {
  const app = await startApp(t, { maxClientBytes: 65_536 });
  const response = await app.realtime.fetch(new Request('http://app.example.com/realtime/sse/'));
  const other = await app.stream();
  await app.db.query(`select djr.publish_global('x', jsonb_build_object('text', repeat('x', 7000)))
                        from generate_series(1, 40)`);
  await other.count(40);
  await until('the log says so', () => app.lines.some(({ context }) => context.reason === 'slow'));
  await t.throwsAsync(response.text());
});

test('The stream ends for a Fetch client when the runtime stops', async (t) => {
  const app = await startApp(t);
  const response = await app.realtime.fetch(new Request('http://app.example.com/realtime/sse/'));
  await app.realtime.stop();
  t.regex(await response.text(), /^retry: \d+\n\n[\s\S]*retry: \d+\n\n$/);
});

test('Works in an HTTP/2 server', async (t) => {
  const app = await startApp(t, { authenticate: byHeader });
  const server = createHttp2(app.realtime.handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const session = connectHttp2(origin);
  t.teardown(() => {
    session.destroy();
    server.close();
  });
  const stream = session.request({ ':path': '/realtime/sse/', 'x-user': 'alice', origin });
  const types: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => types.push(JSON.parse(data).type) });
  stream.setEncoding('utf8').on('data', (chunk: string) => parser.feed(chunk));
  const status = await new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
  t.is(status, 200);
  await until('the connected frame', () => types.length === 1);
  await app.realtime.publish({ type: 'x', userId: 'alice' });
  await until('the event', () => types.length === 2);
  t.deepEqual(types, ['connected', 'x']);
});

test('A request that is answered by somebody else meanwhile does no harm', async (t) => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const app = await startApp(t, {
    maxConnections: 1,
    authenticate: async () => {
      await gate;
      return null;
    },
  });
  const impatient: RequestListener = (req, res) => {
    app.realtime.handler(req, res);
    if (req.url!.endsWith('?impatient')) res.writeHead(504).end('too late');
  };
  const server = await listen(t, impatient);
  const answer = await fetch(`${server.origin}/realtime/sse/?impatient`);
  t.is(answer.status, 504);
  release();
  await until('room for a stream', async () => (await server.stream()).status === 200);
  t.pass();
});
