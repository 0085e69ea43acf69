import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { startApp } from './helpers/app.js';
import { detailsOf, logging, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

test('Behind a service worker that passes requests on, a cut loses nothing', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const context = await newContext(t);
  const url = app.page(logging('djr:connected', 'djr:disconnected', 'djr:reset', 'djr:task'));
  await context.route('**/worker.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: `addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
        addEventListener('activate', (event) => event.waitUntil(clients.claim()));`,
    }),
  );
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/worker.js');
    await navigator.serviceWorker.ready;
  });
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await waitForEvent(page, 'djr:connected');
  await database.query(`select djr.publish_global('task', '{"n": 1}')`);
  await waitForEvent(page, 'djr:task');
  await app.stop();
  await waitForEvent(page, 'djr:disconnected');
  await database.query(`select djr.publish_global('task', '{"n": 2}')`);
  await app.start();
  await waitForEvent(page, 'djr:task', 2);
  t.deepEqual(await detailsOf(page, 'djr:task'), [
    { n: 1, type: 'task' },
    { n: 2, type: 'task' },
  ]);
  t.deepEqual(await detailsOf(page, 'djr:reset'), []);
});

test('An answer without the resume that was asked for is not believed: it is asked again', async (t) => {
  const server = await startStreamServer(t);
  const { greeting } = server;
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat', 'djr:connected', 'djr:reset') + scriptTag()));
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(page, 'djr:chat');
  server.greeting = (client) => {
    client.send({ type: 'connected', key: client.user }, '0-now');
    client.send({ type: 'chat', n: 3 }, '3-a');
    server.greeting = greeting;
  };
  server.clients[0]!.cut();
  await until('it asks again', () => server.requests.length >= 3);
  t.is(server.requests[2]!.get('lastEventId'), '1-a', 'from where it was');
  await server.connected(1);
  server.send({ type: 'chat', n: 2 }, '2-a');
  server.send({ type: 'chat', n: 3 }, '3-a');
  await waitForEvent(page, 'djr:chat', 3);
  t.deepEqual(
    (await detailsOf(page, 'djr:chat')).map((detail) => (detail as { n: number }).n),
    [1, 2, 3],
  );
  t.deepEqual(await detailsOf(page, 'djr:reset'), []);
});

test('Where a proxy drops the query each time, the page is told with djr:reset, and goes on live', async (t) => {
  const server = await startStreamServer(t);
  server.greeting = (client) => client.send({ type: 'connected' }, '0-now');
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat', 'djr:connected', 'djr:reset') + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  server.clients[0]!.cut();
  await waitForEvent(page, 'djr:reset');
  t.is(server.requests.length, 4, 'it asked three times');
  t.deepEqual(await detailsOf(page, 'djr:reset'), [{ type: 'reset', reason: 'the server did not resume the stream' }]);
  server.send({ type: 'chat' }, '9-a');
  await waitForEvent(page, 'djr:chat');
});

test('An answer that says why there is no resume is believed at once', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat', 'djr:connected', 'djr:reset') + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  server.greeting = (client) => {
    client.send({ type: 'connected', key: client.user }, '0-now');
    client.send({ type: 'reset', reason: 'pruned' }, '0-later');
  };
  server.clients[0]!.cut();
  await waitForEvent(page, 'djr:reset');
  t.deepEqual(await detailsOf(page, 'djr:reset'), [{ type: 'reset', reason: 'pruned' }]);
  t.is(server.requests.length, 2);
  t.is((await detailsOf(page, 'djr:connected')).length, 2);
});

test('A token is asked for anew after a cut, so that one that has run out does not come again', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    let tokens = 0;
    window.djr.connect({ token: () => `token-${++tokens}` });
  });
  await server.connected(1);
  server.clients[0]!.cut();
  await until('it is back', () => server.requests.length >= 2);
  t.is(server.requests[1]!.get('token'), 'token-2');
});
