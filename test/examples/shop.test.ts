import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { createDatabase, type TestDatabase } from '../helpers/database.js';
import { login } from '../helpers/login.js';
import { openStream } from '../helpers/stream.js';

/** Starts an example as its README says, on a database of the test's own. */
async function openShop(t: ExecutionContext, name: string) {
  const database: TestDatabase = await createDatabase(t);
  const child = spawn(process.execPath, [`examples/${name}/server.js`], {
    env: { ...process.env, PORT: '0', DATABASE_URL: database.url, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const found = /listening on (http:\S+)/.exec(said);
      if (found) resolve(found[1]!);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
  const request = (path: string, options: { form?: Record<string, string>; cookie?: string } = {}) =>
    fetch(new URL(path, url), {
      redirect: 'manual',
      ...(options.form ? { method: 'POST', body: new URLSearchParams(options.form) } : {}),
      ...(options.cookie ? { headers: { cookie: options.cookie } } : {}),
    });
  return { url, child, database, request };
}

for (const name of ['express', 'fastify', 'hono']) {
  test(`${name}: a customer's page hears of a row that SQL changes, and nobody else's does`, async (t) => {
    const { url, database, request } = await openShop(t, name);
    const cookies = await Promise.all(['ann', 'bob'].map((name) => login(url, name)));
    t.is((await request('/orders', { form: { item: 'Tea' }, cookie: cookies[0]! })).status, 303);
    const [ann, bob] = await Promise.all(
      cookies.map((cookie) => openStream(t, new URL('/realtime/sse/', url).href, { headers: { cookie } })),
    );
    await database.query(`update orders set status = 'paid' where customer = 'ann'`);
    await database.query(`insert into orders (customer, item) values ('bob', 'Cake')`);
    // The order itself may be on its way to the stream yet when the stream opens.
    await ann!.until('the change', () => ann!.events.at(-1)?.data.op === 'update');
    t.like(ann!.events.at(-1)!.data, {
      type: 'order_changed',
      op: 'update',
      item: 'Tea',
      status: 'paid',
    });
    t.like((await bob!.event('order_changed')).data, { type: 'order_changed', op: 'insert', item: 'Cake' });
  });

  test(`${name}: the login's cookie is HttpOnly, and orders are its customer's own`, async (t) => {
    const { url, request, child } = await openShop(t, name);
    t.regex(await (await request('/')).text(), /Your name/);
    const entered = await request('/login', { form: { name: 'ann' } });
    t.is(entered.status, 303);
    t.regex(entered.headers.get('set-cookie')!, /^[\w.]+=.*(?=.*HttpOnly).*SameSite=Lax/i);
    const [ann, bob] = [await login(url, 'ann'), await login(url, 'bob')];
    await request('/orders', { form: { item: '<b>Tea</b>' }, cookie: ann });
    t.regex(await (await request('/', { cookie: ann })).text(), /&lt;b&gt;Tea[\s\S]*new/);
    await request('/orders/1/advance', { form: {}, cookie: bob });
    t.regex(await (await request('/orders', { cookie: ann })).text(), />new</);
    await request('/orders/1/advance', { form: {}, cookie: ann });
    t.regex(await (await request('/orders', { cookie: ann })).text(), />paid</);
    t.notRegex(await (await request('/orders', { cookie: bob })).text(), /Tea/);
    t.is((await request('/orders')).status, 401);
    t.is((await request('/orders', { form: { item: 'Tea' } })).status, 401);
    t.is((await request('/orders', { form: { item: 'x'.repeat(20_000) }, cookie: ann })).status, 413);
    child.kill('SIGTERM');
    t.deepEqual(await once(child, 'exit'), [0, null]);
  });
}
