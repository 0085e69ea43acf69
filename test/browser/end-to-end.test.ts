import test from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { createDatabase } from '../helpers/database.js';
import { type App, startApp } from './helpers/app.js';
import { detailsOf, logging, logOf, until, useChromium, waitForEvent } from './helpers/chromium.js';

const newContext = useChromium();

const head = logging('djr:connected', 'djr:disconnected', 'djr:reset', 'djr:task', 'djr:task:7', 'djr:done');

const logIn = (context: BrowserContext, app: App, user: string) =>
  context.addCookies([{ name: 'user', value: user, url: app.origin }]);

const open = async (context: BrowserContext, url: string) => {
  const page = await context.newPage();
  await page.goto(url);
  await waitForEvent(page, 'djr:connected');
  return page;
};

const numbers = async (page: Page) => (await detailsOf(page, 'djr:task')).map((detail) => (detail as { n: number }).n);

test('SELECT djr.publish() fires a DOM event in the pages of its user, and in no other', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const url = app.page(head);
  const [alices, bobs] = [await newContext(t), await newContext(t)];
  await logIn(alices, app, 'alice');
  await logIn(bobs, app, 'bob');
  const [alice, bob] = [await open(alices, url), await open(bobs, url)];
  await database.query(`select djr.publish('alice', 'task', '{":id": 7, "status": "success"}', '{"secret": true}')`);
  await database.query(`select djr.publish_system('task', '{"n": 1}', 'bob')`);
  await database.query(`select djr.publish_global('done', '{}')`);
  for (const page of [alice, bob]) await waitForEvent(page, 'djr:done');
  const detail = { ':id': 7, status: 'success', type: 'task' };
  t.deepEqual(await logOf(alice), [
    ['djr:connected', { type: 'connected' }],
    ['djr:task', detail],
    ['djr:task:7', detail],
    ['djr:done', { type: 'done' }],
  ]);
  t.deepEqual(await logOf(bob), [
    ['djr:connected', { type: 'connected' }],
    ['djr:done', { type: 'done' }],
  ]);
});

test('Tabs of one user share a stream, and no event is lost or doubled as the lead goes from tab to tab', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const url = app.page(head);
  const context = await newContext(t);
  await logIn(context, app, 'alice');
  const pages = [await open(context, url), await open(context, url), await open(context, url)];
  await until('one stream for all', () => app.open === 1);

  let published = 0;
  let publishing = true;
  const publisher = (async () => {
    while (publishing) await database.query(`select djr.publish('alice', 'task', $1)`, [{ n: ++published }]);
  })();
  for (const [index, closing] of pages.slice(0, 2).entries()) {
    const before = published;
    await until('events are on their way', () => published > before + 20);
    await closing.close();
    await until('another tab leads', () => app.streams >= 4 + index);
  }
  const before = published;
  await until('events are on their way', () => published > before + 20);
  publishing = false;
  await publisher;
  await database.query(`select djr.publish('alice', 'done')`);
  const last = pages[2]!;
  await waitForEvent(last, 'djr:done');
  t.deepEqual(
    await numbers(last),
    Array.from({ length: published }, (_, index) => index + 1),
  );
  t.is(app.open, 1);
});

test('The next user of a browser hears nothing from the tabs that the last one left open', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const url = app.page(head);
  const context = await newContext(t);
  await logIn(context, app, 'alice');
  const alice = [await open(context, url), await open(context, url)];
  await until('her tabs share', () => app.open === 1);
  await logIn(context, app, 'bob');
  const bob = [await open(context, url), await open(context, url)];
  await until('his tabs share', () => app.open === 2);
  await database.query(`select djr.publish('alice', 'task', '{"n": 1}'), djr.publish('bob', 'task', '{"n": 2}')`);
  await database.query(`select djr.publish_global('done')`);
  for (const page of [...alice, ...bob]) await waitForEvent(page, 'djr:done');
  for (const page of alice) t.deepEqual(await numbers(page), [1]);
  for (const page of bob) t.deepEqual(await numbers(page), [2]);
});

test('A restart of the server costs no event, and none comes twice', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const context = await newContext(t);
  await logIn(context, app, 'alice');
  const page = await open(context, app.page(head));
  await database.query(`select djr.publish('alice', 'task', '{"n": 1}')`);
  await waitForEvent(page, 'djr:task');
  await app.stop();
  await waitForEvent(page, 'djr:disconnected');
  await database.query(`select djr.publish('alice', 'task', '{"n": 2}')`);
  await database.query(`select djr.publish('bob', 'task', '{"n": 3}')`);
  await app.start();
  await waitForEvent(page, 'djr:connected', 2);
  await database.query(`select djr.publish('alice', 'task', '{"n": 4}')`);
  await waitForEvent(page, 'djr:task', 3);
  t.deepEqual(await numbers(page), [1, 2, 4]);
  t.deepEqual(await detailsOf(page, 'djr:reset'), []);
});

test('A page goes on from the position that its data was read at', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  await database.query(`select djr.publish_global('task', '{"n": 1}')`);
  const [row] = await database.query<{ position: string }>('select djr.position() as position');
  await database.query(`select djr.publish_global('task', '{"n": 2}')`);
  const page = await open(await newContext(t), app.page(head, { since: row!.position }));
  await database.query(`select djr.publish_global('task', '{"n": 3}')`);
  await waitForEvent(page, 'djr:task', 2);
  t.deepEqual(await numbers(page), [2, 3]);
});

test('A page written for DjangoRealtime works against the runtime as it is', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const context = await newContext(t);
  await logIn(context, app, 'alice');
  const page = await context.newPage();
  await page.goto(
    app.page(
      `${logging()}<script>
        document.addEventListener('DOMContentLoaded', function () {
          DjangoRealtime.subscribe('task', function (detail) { log.push(['subscribed', detail]); });
          DjangoRealtime.connect({
            endpoint: '/realtime/sse/',
            onConnect: function () { log.push(['onConnect', null]); },
            onMessage: function (data) { log.push(['onMessage', data]); },
          });
        });
      </script>`,
      { autoConnect: false },
    ),
  );
  await waitForEvent(page, 'onConnect');
  await database.query(`select djr.publish('alice', 'task', '{"n": 1}')`);
  await waitForEvent(page, 'onMessage', 2);
  t.deepEqual(await logOf(page), [
    ['onMessage', { type: 'connected' }],
    ['onConnect', null],
    ['subscribed', { n: 1, type: 'task' }],
    ['onMessage', { n: 1, type: 'task' }],
  ]);
});
