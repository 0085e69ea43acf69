// @ts-check
/** djr in Fastify: `node examples/fastify/server.js`. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import { createRealtime } from 'djr';
import { fastify } from 'fastify';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();

const realtime = createRealtime({ database: shop.databaseUrl });

const app = fastify({ bodyLimit: 10_000 });

// In an app with several processes: a secret and a store that they share.
const secret = process.env.SESSION_SECRET ?? randomBytes(32).toString('hex');

// #region mount
await app.register(cookie);
await app.register(session, { secret, saveUninitialized: false, cookie: { secure: 'auto', sameSite: 'lax' } });

// The stream answers the raw request; Fastify lets go of it, and has read the body of an acknowledgement.
app.route({
  method: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  url: '/realtime/*',
  handler(request, reply) {
    reply.hijack();
    return realtime.handler(request.raw, reply.raw, { body: request.body, userId: customer(request) });
  },
});
// #endregion

/** The login is a session of @fastify/session. @param {import('fastify').FastifyRequest} request @returns {string | null} */
function customer(request) {
  return request.session.get('customer') ?? null;
}

app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
  done(null, Object.fromEntries(new URLSearchParams(String(body)))),
);

/** @type {Record<string, string>} */
const files = { 'shop.css': 'text/css', 'shop-page.js': 'text/javascript' };
for (const [name, type] of Object.entries(files)) {
  const content = await readFile(new URL(`../shop/public/${name}`, import.meta.url));
  app.get(`/${name}`, (_request, reply) => reply.type(type).send(content));
}

app.post('/login', (request, reply) => {
  const name = customerOf(/** @type {{ name?: string }} */ (request.body)?.name);
  if (name) request.session.set('customer', name);
  return reply.code(303).redirect('/');
});
app.post('/logout', async (request, reply) => {
  await request.session.destroy();
  return reply.code(303).redirect('/');
});

app.get('/', async (request, reply) => {
  const name = customer(request);
  reply.type('text/html');
  if (!name) return loginPage();
  const { orders, ...stream } = await shop.read(name);
  return ordersPage(name, orders, shop.scriptTag(realtime, stream));
});

app.get('/orders', async (request, reply) => {
  const name = customer(request);
  if (!name) return reply.code(401).send('Log in first.');
  reply.type('text/html');
  return ordersPart((await shop.read(name)).orders);
});
app.post('/orders', async (request, reply) => {
  const name = customer(request);
  const { item } = /** @type {{ item?: string }} */ (request.body ?? {});
  if (!name) return reply.code(401).send('Log in first.');
  if (item) await shop.place(name, item);
  return reply.code(303).redirect('/');
});
app.post('/orders/:id/advance', async (request, reply) => {
  const name = customer(request);
  if (!name) return reply.code(401).send('Log in first.');
  await shop.advance(name, Number(/** @type {{ id: string }} */ (request.params).id) || 0);
  return reply.code(303).redirect('/');
});

// #region stop
// Streams end first: close() waits for every connection.
app.addHook('preClose', () => realtime.stop());
// #endregion

await realtime.start();
await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
announce(shop, port, () => app.close());
