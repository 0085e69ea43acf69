import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { serve } from '@hono/node-server';
import test from 'ava';
import { Hono, type MiddlewareHandler } from 'hono';
import { compress } from 'hono/compress';
import { etag } from 'hono/etag';
import { logger } from 'hono/logger';
import { secureHeaders } from 'hono/secure-headers';
import { startApp, until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

const middlewares: [string, MiddlewareHandler][] = [
  ['etag()', etag()],
  ['compress()', compress({ threshold: 0 })],
  ['secureHeaders()', secureHeaders()],
  ['logger()', logger(() => {})],
];

for (const [name, middleware] of middlewares) {
  test(`behind Hono's ${name} a stream begins at once and brings events`, async (t) => {
    const app = await startApp(t);
    const web = new Hono();
    web.use(middleware);
    web.all('/realtime/*', (c) => app.realtime.fetch(c.req.raw));
    const server = serve({ fetch: web.fetch, hostname: '127.0.0.1', port: 0 });
    t.teardown(() => server.close());
    await new Promise<void>((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const stream = await openStream(t, `http://127.0.0.1:${port}/realtime/sse/`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    t.is(stream.status, 200);
    await app.realtime.publish({ scope: 'public', type: 'x' });
    await stream.event('x');
  });
}

test('the connection of a stream ends with it, so that no client comes back over it to a server that closes', async (t) => {
  const app = await startApp(t);
  const server = serve({ fetch: app.realtime.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
  t.teardown(() => server.closeAllConnections());
  // A connection that may be used again is kept for ever.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const over = new Promise((resolve) => socket.once('end', resolve));
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('GET /realtime/sse/ HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the stream', () => text.includes('"connected"'));
  const closed = new Promise((resolve) => server.close(resolve));
  await app.realtime.stop();
  await Promise.all([over, closed]);
  t.regex(text, /retry: \d+/);
});

test('a server that may speak HTTP/2 gets no header that this does not have', async (t) => {
  const app = await startApp(t);
  const closes = async (url: string, headers: Record<string, string> = {}) => {
    const response = await app.realtime.fetch(new Request(url, { headers }));
    await response.body!.cancel();
    return response.headers.get('connection');
  };
  t.is(await closes('https://app.example.com/realtime/sse/'), null);
  t.is(await closes('https://app.example.com/realtime/sse/', { 'x-forwarded-proto': 'https' }), 'close');
  t.is(await closes('http://app.example.com/realtime/sse/'), 'close');
});
