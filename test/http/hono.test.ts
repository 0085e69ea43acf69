import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import test from 'ava';
import { Hono, type MiddlewareHandler } from 'hono';
import { compress } from 'hono/compress';
import { etag } from 'hono/etag';
import { logger } from 'hono/logger';
import { secureHeaders } from 'hono/secure-headers';
import { startApp } from '../helpers/server.js';
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
