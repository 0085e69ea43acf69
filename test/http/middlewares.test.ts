import type { IncomingMessage, RequestListener } from 'node:http';
import { connect } from 'node:net';
import polkaCompression from '@polka/compression';
import test, { type ExecutionContext } from 'ava';
import compression from 'compression';
import express, { type RequestHandler } from 'express';
import session, { MemoryStore } from 'express-session';
import httpCompression from 'http-compression';
import { Passport } from 'passport';
import { listen, startApp, until } from '../helpers/server.js';

/** All that comes of one request for a stream, from the first byte of its status line on. */
async function bytesOf(t: ExecutionContext, origin: string): Promise<() => string> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('GET /realtime/sse/ HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\n\r\n');
  return () => text;
}

const compressors: [string, RequestHandler][] = [
  ['compression', compression({ threshold: 0 })],
  ['@polka/compression', polkaCompression({ threshold: 0, brotli: true }) as unknown as RequestHandler],
  ['http-compression', httpCompression({ threshold: 0 })],
];

for (const [name, compress] of compressors) {
  test(`a stream behind ${name} has its head, comes at once and is not compressed`, async (t) => {
    const app = await startApp(t);
    const page = 'a page '.repeat(1000);
    const listener: RequestListener = (req, res) => {
      compress(req as never, res as never, () => {
        void app.realtime.handler(req, res, () => {
          res.setHeader('Content-Type', 'text/plain');
          res.end(page);
        });
      });
    };
    const server = await listen(t, listener);
    const compressed = await fetch(server.origin, { headers: { 'accept-encoding': 'gzip' } });
    t.is(compressed.headers.get('content-encoding'), 'gzip', 'the middleware works');
    t.is(await compressed.text(), page);
    const text = await bytesOf(t, server.origin);
    await until('the connected frame', () => text().includes('"connected"'));
    t.regex(text(), /^HTTP\/1\.1 200 OK\r\n/);
    await app.realtime.publish({ scope: 'public', type: 'x', detail: { text: 'x'.repeat(5000) } });
    await until('an event', () => text().includes('"type": "x"'));
    t.true((await fetch(`${server.origin}/realtime/healthz`, { headers: { 'accept-encoding': 'gzip' } })).ok);
    await app.realtime.stop();
    await until('the end', () => /retry: \d+\n\n$/.test(text()));
  });
}

/** An app with express-session that saves each session at the end of each answer, though nothing has changed. */
async function sessionApp(t: ExecutionContext) {
  const app = await startApp(t, {
    authenticate: (_request, { req }) =>
      (req as unknown as { session?: { user?: string } } | undefined)?.session?.user ?? null,
  });
  const store = new MemoryStore();
  const web = express();
  web.use(session({ secret: 'test', resave: true, saveUninitialized: false, store }));
  web.use(app.realtime.handler);
  const sessionOf = (req: unknown) => (req as { session: { user?: string; destroy(done: () => void): void } }).session;
  web.post('/login', (req, res) => {
    sessionOf(req).user = 'ada';
    res.end('in');
  });
  web.post('/logout', (req, res) => sessionOf(req).destroy(() => res.end('out')));
  const server = await listen(t, web);
  const login = await fetch(`${server.origin}/login`, { method: 'POST' });
  const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
  const sessions = () =>
    new Promise<number>((resolve) => store.all((_error, all) => resolve(Object.keys(all ?? {}).length)));
  return { app, server, cookie, sessions };
}

for (const end of ['the client goes', 'the runtime stops'] as const) {
  test(`a logout beside an open stream stays one when ${end}, with express-session's resave`, async (t) => {
    const { app, server, cookie, sessions } = await sessionApp(t);
    const stream = await server.stream('', { headers: { cookie } });
    await app.realtime.publish({ type: 'x', userId: 'ada' });
    await stream.event('x');
    t.is(await sessions(), 1);
    await fetch(`${server.origin}/logout`, { method: 'POST', headers: { cookie } });
    t.is(await sessions(), 0);
    if (end === 'the client goes') stream.close();
    else await app.realtime.stop();
    await until('the stream to be gone', async () => /^djr_places 0$/m.test(await app.realtime.metrics()));
    t.is(await sessions(), 0);
  });
}

test('authenticate sees what passport has put on the request', async (t) => {
  const passport = new Passport();
  passport.use({
    name: 'header',
    authenticate(req: IncomingMessage) {
      const id = req.headers['x-id'];
      if (typeof id === 'string') this.success({ id });
      else this.pass();
    },
  });
  const app = await startApp(t, {
    authenticate: (_request, { req }) => (req as { user?: { id: string } } | undefined)?.user?.id ?? null,
  });
  const web = express();
  web.use(passport.authenticate('header', { session: false }));
  web.use(app.realtime.handler);
  const server = await listen(t, web);
  const stream = await server.stream('', { headers: { 'x-id': '42' } });
  const nobody = await server.stream();
  await app.realtime.publish({ type: 'own', userId: 42 });
  await app.realtime.publish({ scope: 'public', type: 'end' });
  await stream.event('end');
  await nobody.event('end');
  t.deepEqual(stream.types, ['own', 'end']);
  t.deepEqual(nobody.types, ['end']);
});
