// @ts-check
/** djr in Express: `node examples/express/server.js`. */
import { randomBytes } from 'node:crypto';
import { createRealtime } from 'djr';
import express from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();

/** The login is Passport's, in a session of express-session: both put on the request whose it is. @typedef {{ name: string }} Customer */
const passport = new Passport();
passport.serializeUser((/** @type {Customer} */ { name }, done) => done(null, name));
passport.deserializeUser((/** @type {string} */ name, done) => done(null, { name }));

/** @param {object | undefined} req */
const customer = (req) => /** @type {{ user?: Customer } | undefined} */ (req)?.user?.name ?? null;

// In an app with several processes: a secret and a store that they share.
const secret = process.env.SESSION_SECRET ?? randomBytes(32).toString('hex');

// #region mount
const realtime = createRealtime({
  database: shop.databaseUrl,
  authenticate: (_request, { req }) => customer(req),
});

const app = express();
app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { sameSite: 'lax' } }));
app.use(passport.session());
app.use(realtime.handler); // Behind the login, and before body parsers: a stream needs none.
// #endregion
app.use(express.static(new URL('../shop/public', import.meta.url).pathname));
app.use(express.urlencoded({ limit: '10kb' }));

app.post('/login', (req, res, next) => {
  const name = customerOf(req.body?.name);
  if (!name) return res.redirect(303, '/');
  req.logIn({ name }, (error) => (error ? next(error) : res.redirect(303, '/')));
});
app.post('/logout', (req, res, next) => req.logOut((error) => (error ? next(error) : res.redirect(303, '/'))));

app.get('/', async (req, res) => {
  const name = customer(req);
  if (!name) return void res.send(loginPage());
  const { orders, ...stream } = await shop.read(name);
  res.send(ordersPage(name, orders, shop.scriptTag(realtime, stream)));
});

app.use('/orders', (req, res, next) => {
  res.locals.customer = customer(req);
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
  announce(shop, port, stop);
});

// #region stop
/** Streams end beside the server, which waits for its open answers. */
async function stop() {
  server.close();
  await realtime.stop();
}
// #endregion
