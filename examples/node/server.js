// @ts-check
/** djr in a server of node:http, without a framework: `node examples/node/server.js`. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseCookie, stringifySetCookie } from 'cookie';
import { createRealtime } from 'djr';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();

/** In an app with several processes: a secret that they share. */
const secret = process.env.SESSION_SECRET ?? randomBytes(32).toString('hex');

/** @param {string} name */
const sign = (name) => createHmac('sha256', secret).update(name).digest('base64url');

/** The login: a name with a signature of ours. @param {string | null | undefined} cookie @returns {string | null} */
function customer(cookie) {
  const [name = '', signature = ''] = (parseCookie(cookie ?? '').login ?? '').split(':');
  const [given, own] = [Buffer.from(signature), Buffer.from(sign(name))];
  return given.length === own.length && timingSafeEqual(given, own) ? customerOf(name) : null;
}

const realtime = createRealtime({
  database: shop.databaseUrl,
  authenticate: (request) => customer(request.headers.get('cookie')),
});

const files = {
  '/shop.css': { type: 'text/css', body: await readFile(new URL('../shop/public/shop.css', import.meta.url)) },
  '/shop-page.js': {
    type: 'text/javascript',
    body: await readFile(new URL('../shop/public/shop-page.js', import.meta.url)),
  },
};

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
async function answer(req, res) {
  const { pathname } = new URL(req.url ?? '/', 'http://shop');
  const file = files[/** @type {keyof typeof files} */ (pathname)];
  if (file) return void res.writeHead(200, { 'Content-Type': file.type }).end(file.body);
  if (Number(req.headers['content-length']) > 10_000) return void res.writeHead(413).end('Too long.');
  const form = req.method === 'POST' ? Object.fromEntries(new URLSearchParams(await text(req))) : {};
  const back = (headers = {}) => void res.writeHead(303, { Location: '/', ...headers }).end();
  /** @param {string} page */
  const show = (page) => void res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  const route = `${req.method} ${pathname}`;

  if (route === 'POST /login') {
    const name = customerOf(form.name);
    const value = name ? `${name}:${sign(name)}` : '';
    const cookie = stringifySetCookie({ name: 'login', value, httpOnly: true, sameSite: 'lax', path: '/' });
    return back({ 'Set-Cookie': cookie });
  }
  const name = customer(req.headers.cookie);
  if (route === 'GET /' && !name) return show(loginPage());
  if (!name) return void res.writeHead(401).end('Log in first.');
  if (route === 'POST /logout') {
    return back({ 'Set-Cookie': stringifySetCookie({ name: 'login', value: '', path: '/', maxAge: 0 }) });
  }
  if (route === 'GET /') {
    const { orders, ...stream } = await shop.read(name);
    return show(ordersPage(name, orders, shop.scriptTag(realtime, stream)));
  }
  if (route === 'GET /orders') return show(ordersPart((await shop.read(name)).orders));
  if (route === 'POST /orders') {
    if (form.item) await shop.place(name, form.item);
    return back();
  }
  const advanced = /^POST \/orders\/(\d+)\/advance$/.exec(route);
  if (!advanced) return void res.writeHead(404).end('There is nothing here.');
  await shop.advance(name, Number(advanced[1]));
  return back();
}

// #region mount
const server = createServer((req, res) => {
  // What is not djr's goes on to the app.
  void realtime.handler(req, res, () => answer(req, res).catch(() => res.writeHead(500).end()));
});
// #endregion

await realtime.start();
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
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
