import test, { type ExecutionContext } from 'ava';
import express from 'express';
import { fastify } from 'fastify';
import { createApp, defineEventHandler, toNodeListener } from 'h3';
import Koa from 'koa';
import { byHeader, listen, startApp, type TestApp, until } from '../helpers/server.js';
import { openStream } from '../helpers/stream.js';

const json = { 'content-type': 'application/json' };

/** Publishes an event of ada's, and acknowledges it through this app. */
async function acknowledge(t: ExecutionContext, app: TestApp, origin: string, headers: Record<string, string>) {
  const id = await app.realtime.publish({ type: 'x', userId: 'ada' });
  const body = JSON.stringify({ id, status: 'read' });
  const answer = await fetch(`${origin}/realtime/ack/`, { method: 'POST', headers: { ...json, ...headers }, body });
  t.deepEqual(await answer.json(), { acknowledged: [id] });
}

test('in Koa the handler is a middleware, and what is not its own goes on', async (t) => {
  const app = await startApp(t);
  const koa = new Koa();
  let over = 0;
  koa.use(async (_context, next) => {
    await next();
    over += 1;
  });
  koa.use(app.realtime.handler);
  koa.use((context) => {
    context.body = 'from Koa';
  });
  const server = await listen(t, koa.callback());
  t.is(await (await fetch(server.origin)).text(), 'from Koa');
  t.is((await fetch(`${server.origin}/realtime/healthz`)).status, 200);
  t.is((await fetch(`${server.origin}/realtime/nothing`)).status, 404);
  const before = over;
  const stream = await server.streamOf('ada');
  t.is(stream.status, 200);
  await app.realtime.publish({ type: 'x', userId: 'ada' });
  await stream.event('x');
  t.is(over, before, 'the middlewares before it wait for its end');
  await acknowledge(t, app, server.origin, { 'x-user': 'ada' });
  stream.close();
  await until('the end', () => over === before + 2);
  t.false(stream.raw.includes('OK') || stream.raw.includes('Not Found'));
});

test('in Koa the handler may be called with the raw request, a login and next as well', async (t) => {
  const app = await startApp(t);
  const koa = new Koa();
  koa.use(({ req, res }, next) => app.realtime.handler(req, res, next, { userId: 'ada' }));
  koa.use((context) => {
    context.body = 'from Koa';
  });
  const server = await listen(t, koa.callback());
  t.is(await (await fetch(server.origin)).text(), 'from Koa');
  const stream = await server.streamOf('somebody else');
  await app.realtime.publish({ type: 'x', userId: 'ada' });
  await stream.event('x');
  t.is(stream.status, 200);
});

test('in Koa the path counts that the client has sent, whatever a mount has cut off', async (t) => {
  const app = await startApp(t);
  const koa = new Koa();
  koa.use((context, next) => {
    // As koa-mount does.
    context.path = context.path.replace(/^\/(api|realtime)/, '');
    return next();
  });
  koa.use(app.realtime.handler);
  const server = await listen(t, koa.callback());
  t.is((await fetch(`${server.origin}/realtime/healthz`)).status, 200);
  t.is((await fetch(`${server.origin}/api/realtime/sse/`)).status, 404);
  t.is(app.lines.filter(({ message }) => /basePath to \/api\/realtime$/.test(message)).length, 1);
});

test('in Fastify a stream is hijacked, with the login and the body that Fastify has read', async (t) => {
  const app = await startApp(t);
  const web = fastify();
  web.route({
    method: ['GET', 'HEAD', 'POST', 'OPTIONS'],
    url: '/realtime/*',
    handler(request, reply) {
      reply.hijack();
      const user = request.headers['x-session'] === 'of-ada' ? 'ada' : null;
      return app.realtime.handler(request.raw, reply.raw, { userId: user, body: request.body });
    },
  });
  t.teardown(() => web.close());
  web.addHook('preClose', () => app.realtime.stop());
  const origin = await web.listen({ port: 0, host: '127.0.0.1' });
  const stream = await openStream(t, `${origin}/realtime/sse/`, { headers: { 'x-session': 'of-ada' } });
  await acknowledge(t, app, origin, { 'x-session': 'of-ada' });
  await stream.event('x');
  const anonymous = await fetch(`${origin}/realtime/ack/`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ id: 1, status: 'read' }),
  });
  t.is(anonymous.status, 401);
  await web.close();
  await stream.end();
});

test('in h3 1.x the handler is called with the raw request, and hears of a client that goes', async (t) => {
  const app = await startApp(t, { authenticate: byHeader });
  const web = createApp();
  web.use(
    '/',
    defineEventHandler((event) =>
      event.path.startsWith('/realtime/') ? app.realtime.handler(event.node.req, event.node.res) : 'from h3',
    ),
  );
  const server = await listen(t, toNodeListener(web));
  t.is(await (await fetch(server.origin)).text(), 'from h3');
  const stream = await server.streamOf('ada');
  await acknowledge(t, app, server.origin, { 'x-user': 'ada' });
  await stream.event('x');
  stream.close();
  await until('nobody is connected', async () => /^djr_connections 0$/m.test(await app.realtime.metrics()));
});

test('a Fetch stream whose reader takes nothing any more is closed, though nobody cancels it', async (t) => {
  const app = await startApp(t, { writeTimeout: 300, heartbeat: 500 });
  const response = await app.realtime.fetch(new Request('http://app.example.com/realtime/sse/'));
  const reader = response.body!.getReader();
  t.false((await reader.read()).done);
  await until('it is closed', () => app.lines.some(({ context }) => context.reason === 'stalled'));
  await until('nobody is connected', async () => /^djr_connections 0$/m.test(await app.realtime.metrics()));
});

test("mounted by Express below another path than basePath, the handler says so, and Express's 404 answers", async (t) => {
  const app = await startApp(t);
  const web = express();
  web.use('/api', app.realtime.handler);
  const server = await listen(t, web);
  t.is((await fetch(`${server.origin}/api/realtime/sse/`)).status, 404);
  t.is((await fetch(`${server.origin}/api/realtime/sse/`)).status, 404);
  t.is(app.lines.filter(({ message }) => /basePath to \/api\/realtime$/.test(message)).length, 1);
});

test('realtime.fetch takes a login, for which authenticate is not asked, and nothing else for one', async (t) => {
  const app = await startApp(t, {
    authenticate: () => {
      throw new Error('it is asked');
    },
  });
  const url = 'http://app.example.com/realtime/sse/';
  for (const userId of ['ada', 7, 7n, null, undefined]) {
    const response = await app.realtime.fetch(new Request(url), { userId });
    t.is(response.status, 200, String(userId));
    await response.body!.cancel();
  }
  for (const context of [undefined, {}, { params: {} }, Object.create({ userId: 'ada' })]) {
    t.is((await app.realtime.fetch(new Request(url), context)).status, 401);
  }
});

test('a handler mounted at another path than basePath says so once', async (t) => {
  const app = await startApp(t);
  const server = await listen(t, (req, res) => app.realtime.handler(req, res, () => res.writeHead(404).end()));
  for (const path of ['/other/page', '/api/realtime/sse/', '/api/realtime/djr.js', '/x/\u202e/sse']) {
    t.is((await fetch(server.origin + path)).status, 404);
  }
  const said = app.lines.filter(({ message }) => /basePath/.test(message));
  t.is(said.length, 1);
  t.regex(said[0]!.message, /set the option basePath to \/api\/realtime$/);
  t.is(said[0]!.level, 'warn');
});
