// @ts-check
/** djr in Hono, on Node: `node examples/hono/server.js`. `realtime.fetch` is what any server on Fetch takes. */
import { randomBytes } from 'node:crypto';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { createRealtime } from 'djr';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { jwt, sign, verify } from 'hono/jwt';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

/** @typedef {{ userId: string | null, expires?: number }} Login */

const shop = await openShop();

const realtime = createRealtime({ database: shop.databaseUrl });

/** In an app with several processes: a secret that they share. */
const secret = process.env.SESSION_SECRET ?? randomBytes(32).toString('hex');

/** Seconds. */
const DAY = 24 * 3600;

/** @type {Hono<{ Variables: { jwtPayload: { sub: string } } }>} */
const app = new Hono();

// #region mount
/** The login is a JSON Web Token in a cookie. @param {import('hono').Context} c @returns {Promise<Login>} */
async function loginOf(c) {
  const login = await verify(getCookie(c, 'token') ?? '', secret, 'HS256').catch(() => undefined);
  return login ? { userId: String(login.sub), expires: Number(login.exp) * 1000 } : { userId: null };
}

app.all('/realtime/*', async (c) => realtime.fetch(c.req.raw, await loginOf(c)));
// #endregion

const root = new URL('../shop/public', import.meta.url).pathname;
app.get('/shop.css', serveStatic({ root }));
app.get('/shop-page.js', serveStatic({ root }));
app.use(bodyLimit({ maxSize: 10_000 }));

app.post('/login', async (c) => {
  const name = customerOf(String((await c.req.parseBody()).name));
  if (name) {
    const token = await sign({ sub: name, exp: Math.floor(Date.now() / 1000) + DAY }, secret, 'HS256');
    setCookie(c, 'token', token, { httpOnly: true, sameSite: 'Lax', maxAge: DAY });
  }
  return c.redirect('/', 303);
});
app.post('/logout', (c) => {
  deleteCookie(c, 'token');
  return c.redirect('/', 303);
});

app.get('/', async (c) => {
  const { userId } = await loginOf(c);
  if (!userId) return c.html(loginPage());
  const { orders, ...stream } = await shop.read(userId);
  return c.html(ordersPage(userId, orders, shop.scriptTag(realtime, stream)));
});

app.use('/orders/*', jwt({ secret, alg: 'HS256', cookie: 'token' })); // 401 without one.
app.get('/orders', async (c) => c.html(ordersPart((await shop.read(c.var.jwtPayload.sub)).orders)));
app.post('/orders', async (c) => {
  const { item } = await c.req.parseBody();
  if (typeof item === 'string' && item) await shop.place(c.var.jwtPayload.sub, item);
  return c.redirect('/', 303);
});
app.post('/orders/:id/advance', async (c) => {
  await shop.advance(c.var.jwtPayload.sub, Number(c.req.param('id')) || 0);
  return c.redirect('/', 303);
});

await realtime.start();
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  announce(shop, port, stop),
);

// #region stop
/** Streams end beside the server, which waits for its open answers. */
async function stop() {
  server.close();
  await realtime.stop();
}
// #endregion
