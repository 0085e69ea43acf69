// @ts-check
/** djr in Express: `node examples/express/server.js`. */
import { parseCookie } from 'cookie';
import { createRealtime } from 'djr';
import express from 'express';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();

/** @param {string | null | undefined} cookie */
const customer = (cookie) => customerOf(parseCookie(cookie ?? '').name);

const realtime = createRealtime({
  database: shop.databaseUrl,
  authenticate: (request) => customer(request.headers.get('cookie')),
});

const app = express();
app.use(realtime.handler); // Before body parsers and sessions: a stream needs neither.
app.use(express.static(new URL('../shop/public', import.meta.url).pathname));
app.use(express.urlencoded({ limit: '10kb' }));

app.post('/login', (req, res) => {
  const name = customerOf(req.body?.name);
  if (name) res.cookie('name', name, { httpOnly: true, sameSite: 'lax' });
  res.redirect(303, '/');
});
app.post('/logout', (_req, res) => void res.clearCookie('name').redirect(303, '/'));

app.get('/', async (req, res) => {
  const name = customer(req.headers.cookie);
  if (!name) return void res.send(loginPage());
  const { orders, ...stream } = await shop.read(name);
  res.send(ordersPage(name, orders, shop.scriptTag(realtime, stream)));
});

app.use('/orders', (req, res, next) => {
  res.locals.customer = customer(req.headers.cookie);
  if (res.locals.customer) next();
  else res.status(401).send('Log in first.');
});
app.get('/orders', async (_req, res) => void res.send(ordersPart((await shop.read(res.locals.customer)).orders)));
app.post('/orders', async (req, res) => {
  if (req.body?.item) await shop.place(res.locals.customer, req.body.item);
  res.redirect(303, '/');
});
app.post('/orders/:id/advance', async (req, res) => {
  await shop.advance(res.locals.customer, Number(req.params.id) || 0);
  res.redirect(303, '/');
});

await realtime.start();
const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  announce(shop, port, async () => {
    server.close();
    await realtime.stop();
  });
});
