// @ts-check
/** djr in Hono, on Node: `node examples/hono/server.js`. `realtime.fetch` is what any server on Fetch takes. */
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { parseCookie } from 'cookie';
import { createRealtime } from 'djr';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();

const realtime = createRealtime({
  database: shop.databaseUrl,
  authenticate: (request) => customerOf(parseCookie(request.headers.get('cookie') ?? '').name),
});

/** @type {Hono<{ Variables: { customer: string } }>} */
const app = new Hono();

app.all('/realtime/*', (c) => realtime.fetch(c.req.raw));

const root = new URL('../shop/public', import.meta.url).pathname;
app.get('/shop.css', serveStatic({ root }));
app.get('/shop-page.js', serveStatic({ root }));
app.use(bodyLimit({ maxSize: 10_000 }));

app.post('/login', async (c) => {
  const name = customerOf(String((await c.req.parseBody()).name));
  if (name) setCookie(c, 'name', name, { httpOnly: true, sameSite: 'Lax' });
  return c.redirect('/', 303);
});
app.post('/logout', (c) => {
  deleteCookie(c, 'name');
  return c.redirect('/', 303);
});

app.get('/', async (c) => {
  const name = customerOf(getCookie(c, 'name'));
  if (!name) return c.html(loginPage());
  const { orders, ...stream } = await shop.read(name);
  return c.html(ordersPage(name, orders, shop.scriptTag(realtime, stream)));
});

app.use('/orders/*', async (c, next) => {
  const name = customerOf(getCookie(c, 'name'));
  if (!name) return c.text('Log in first.', 401);
  c.set('customer', name);
  return next();
});
app.get('/orders', async (c) => c.html(ordersPart((await shop.read(c.var.customer)).orders)));
app.post('/orders', async (c) => {
  const { item } = await c.req.parseBody();
  if (typeof item === 'string' && item) await shop.place(c.var.customer, item);
  return c.redirect('/', 303);
});
app.post('/orders/:id/advance', async (c) => {
  await shop.advance(c.var.customer, Number(c.req.param('id')) || 0);
  return c.redirect('/', 303);
});

await realtime.start();
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  announce(shop, port, async () => {
    server.close();
    await realtime.stop();
  }),
);
