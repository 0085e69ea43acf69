// @ts-check
/** djr in Fastify: `node examples/fastify/server.js`. */
import { readFile } from 'node:fs/promises';
import { parseCookie, stringifySetCookie } from 'cookie';
import { createRealtime } from 'djr';
import { fastify } from 'fastify';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();

/** @param {string | null | undefined} cookie */
const customer = (cookie) => customerOf(parseCookie(cookie ?? '').name);

const realtime = createRealtime({
  database: shop.databaseUrl,
  authenticate: (request) => customer(request.headers.get('cookie')),
});

const app = fastify({ bodyLimit: 10_000 });

// The stream answers the raw request; Fastify lets go of it.
app.route({
  method: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  url: '/realtime/*',
  handler(request, reply) {
    reply.hijack();
    return realtime.handler(request.raw, reply.raw, { body: request.body });
  },
});

app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
  done(null, Object.fromEntries(new URLSearchParams(String(body)))),
);

/** @type {Record<string, string>} */
const files = { 'shop.css': 'text/css', 'shop-page.js': 'text/javascript' };
for (const [name, type] of Object.entries(files)) {
  const content = await readFile(new URL(`../shop/public/${name}`, import.meta.url));
  app.get(`/${name}`, (_request, reply) => reply.type(type).send(content));
}

/** @param {string} name @param {number} maxAge */
const cookie = (name, maxAge) =>
  stringifySetCookie({ name: 'name', value: name, httpOnly: true, sameSite: 'lax', path: '/', maxAge });

app.post('/login', (request, reply) => {
  const name = customerOf(/** @type {{ name?: string }} */ (request.body)?.name);
  if (name) reply.header('Set-Cookie', cookie(name, 24 * 3600));
  return reply.redirect('/', 303);
});
app.post('/logout', (_request, reply) => reply.header('Set-Cookie', cookie('', 0)).redirect('/', 303));

app.get('/', async (request, reply) => {
  const name = customer(request.headers.cookie);
  reply.type('text/html');
  if (!name) return loginPage();
  const { orders, ...stream } = await shop.read(name);
  return ordersPage(name, orders, shop.scriptTag(realtime, stream));
});

app.get('/orders', async (request, reply) => {
  const name = customer(request.headers.cookie);
  if (!name) return reply.code(401).send('Log in first.');
  reply.type('text/html');
  return ordersPart((await shop.read(name)).orders);
});
app.post('/orders', async (request, reply) => {
  const name = customer(request.headers.cookie);
  const { item } = /** @type {{ item?: string }} */ (request.body ?? {});
  if (!name) return reply.code(401).send('Log in first.');
  if (item) await shop.place(name, item);
  return reply.redirect('/', 303);
});
app.post('/orders/:id/advance', async (request, reply) => {
  const name = customer(request.headers.cookie);
  if (!name) return reply.code(401).send('Log in first.');
  await shop.advance(name, Number(/** @type {{ id: string }} */ (request.params).id) || 0);
  return reply.redirect('/', 303);
});

// Streams end first: close() waits for every connection.
app.addHook('preClose', () => realtime.stop());

await realtime.start();
await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
const { port } = /** @type {import('node:net').AddressInfo} */ (app.server.address());
announce(shop, port, () => app.close());
