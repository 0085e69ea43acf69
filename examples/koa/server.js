// @ts-check
/** djr in Koa: `node examples/koa/server.js`. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { createRealtime } from 'djr';
import Koa from 'koa';
import { createSession } from 'koa-session';
import { loginPage, ordersPage, ordersPart } from '../shop/page.js';
import { announce, customerOf, openShop } from '../shop/shop.js';

const shop = await openShop();
const realtime = createRealtime({ database: shop.databaseUrl });

const app = new Koa();
// In an app with several processes: a secret that they share.
app.keys = [process.env.SESSION_SECRET ?? randomBytes(32).toString('hex')];

/** The login is a session of koa-session. @param {import('koa').Context} ctx @returns {string | null} */
const customer = (ctx) => ctx.session?.customer ?? null;

// #region mount
app.use(createSession({ sameSite: 'lax' }, app));
// The session is Koa's context's, so the login is handed over; what is not djr's goes on.
app.use((ctx, next) => realtime.handler(ctx.req, ctx.res, next, { userId: customer(ctx) }));
// #endregion

/** @type {Record<string, string>} */
const files = { '/shop.css': 'text/css', '/shop-page.js': 'text/javascript' };

app.use(async (ctx) => {
  const type = files[ctx.path];
  if (type) {
    ctx.type = type;
    ctx.body = await readFile(new URL(`../shop/public${ctx.path}`, import.meta.url));
    return;
  }
  if (Number(ctx.get('content-length')) > 10_000) ctx.throw(413);
  const form = ctx.method === 'POST' ? Object.fromEntries(new URLSearchParams(await text(ctx.req))) : {};
  const back = () => {
    ctx.redirect('/');
    ctx.status = 303;
  };
  const route = `${ctx.method} ${ctx.path}`;
  if (route === 'POST /login') {
    const name = customerOf(form.name);
    if (name) ctx.session = { customer: name };
    return back();
  }
  const name = customer(ctx);
  ctx.type = 'html';
  if (route === 'GET /' && !name) {
    ctx.body = loginPage();
    return;
  }
  if (!name) return void ctx.throw(401, 'Log in first.');
  const advanced = /^POST \/orders\/(\d+)\/advance$/.exec(route);
  if (route === 'POST /logout') {
    ctx.session = null;
  } else if (route === 'GET /') {
    const { orders, ...stream } = await shop.read(name);
    ctx.body = ordersPage(name, orders, shop.scriptTag(realtime, stream));
    return;
  } else if (route === 'GET /orders') {
    ctx.body = ordersPart((await shop.read(name)).orders);
    return;
  } else if (route === 'POST /orders') {
    if (form.item) await shop.place(name, form.item);
  } else if (advanced) {
    await shop.advance(name, Number(advanced[1]));
  } else ctx.throw(404);
  back();
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
