import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { createDatabase } from '../helpers/database.js';
import { startRelay } from '../helpers/relay.js';
import { type App, startApp } from './helpers/app.js';
import { detailsOf, logging, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();
const head = logging('djr:connected', 'djr:disconnected', 'djr:reset', 'djr:task');

const numbers = async (page: Page) => (await detailsOf(page, 'djr:task')).map((detail) => (detail as { n: number }).n);

/** An app behind a relay, and a page on it whose stream stands. */
async function connected(t: ExecutionContext, heartbeat: number) {
  const database = await createDatabase(t);
  const app: App = await startApp(t, { database: database.url, heartbeat });
  const relay = await startRelay(t, Number(new URL(app.origin).port));
  const page = await (await newContext(t)).newPage();
  await page.goto(new URL(new URL(app.page(head)).pathname, relay.origin).href);
  await waitForEvent(page, 'djr:connected');
  const publish = (n: number) => database.query(`select djr.publish_global('task', $1)`, [{ n }]);
  await publish(1);
  await waitForEvent(page, 'djr:task');
  return { page, relay, publish, app };
}

// The watchdog waits for 2.5 heartbeats. A busy machine holds a page up for seconds, which a shorter interval would take for a dead
// stream; so these two run one after the other, before the others.
test.serial('A network that swallows the stream is noticed, and nothing is lost', async (t) => {
  const { page, relay, publish } = await connected(t, 3000);
  relay.freeze();
  await publish(2);
  await waitForEvent(page, 'djr:connected', 2);
  await publish(3);
  await waitForEvent(page, 'djr:task', 3);
  t.deepEqual(await numbers(page), [1, 2, 3]);
  t.is((await detailsOf(page, 'djr:disconnected')).length, 1);
  t.deepEqual(await detailsOf(page, 'djr:reset'), []);
});

test.serial('A quiet stream that lives is left alone', async (t) => {
  const { page, app } = await connected(t, 3000);
  const places = new Set<string>();
  // Five places of heartbeats lie further apart than the watchdog waits.
  await until('five heartbeats have moved its place', async () => {
    const place = await page.evaluate(() => window.djangoRealtimeConnection!.lastEventId);
    if (place.startsWith('0-')) places.add(place);
    return places.size === 5;
  });
  t.is(app.streams, 1);
  t.is((await detailsOf(page, 'djr:disconnected')).length, 0);
});

test('Heartbeats reach neither the page nor its callbacks', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:heartbeat', 'djr:chat') + scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    window.djr.connect({ onMessage: ({ type }) => log.push(['message', type]) });
  });
  await server.connected(1);
  server.send({ type: 'heartbeat' }, '0-b');
  server.send({ type: 'chat' }, '1-a');
  await waitForEvent(page, 'djr:chat');
  t.deepEqual(await detailsOf(page, 'message'), ['connected', 'chat']);
  t.deepEqual(await detailsOf(page, 'djr:heartbeat'), []);
});

const signs: [sign: string, fire: () => void][] = [
  ['is online again', () => window.dispatchEvent(new Event('online'))],
  [
    'has another network',
    () => (navigator as unknown as { connection: EventTarget }).connection.dispatchEvent(new Event('change')),
  ],
  ['is shown', () => document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))],
];
for (const [sign, fire] of signs) {
  test(`A page that ${sign} looks at once whether its stream lives`, async (t) => {
    const server = await startStreamServer(t);
    const { greeting } = server;
    // So long an interval that the watchdog is no part of it; the page's clock is ours.
    server.greeting = (client) => {
      greeting(client);
      client.send({ type: 'connected', key: client.user, heartbeat: 20_000 });
    };
    const context = await newContext(t);
    await context.clock.install({ time: 0 });
    await context.clock.pauseAt(1000);
    const page = await context.newPage();
    await page.goto(server.page(head + scriptTag()));
    await waitForEvent(page, 'djr:connected');
    await context.clock.runFor(25_000);
    t.is(server.requests.length, 1);
    await page.evaluate(fire);
    await until('it begins anew', () => server.requests.length >= 2);
    t.is(server.requests[1]!.get('lastEventId'), '0-start');
  });
}

test('After a jump of the clock, as after sleep, a page begins its stream anew', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  await context.clock.install({ time: 0 });
  await context.clock.pauseAt(1000);
  const page = await context.newPage();
  await page.goto(server.page(head + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  await context.clock.runFor(10_000);
  t.is(server.requests.length, 1);
  await context.clock.fastForward(60_000);
  await context.clock.runFor(2000);
  await until('it begins anew', () => server.requests.length >= 2);
});

test('A server that accepts the connection and never answers is given up, and tried again', async (t) => {
  const server = await startStreamServer(t);
  const relay = await startRelay(t, Number(new URL(server.origin).port));
  const context = await newContext(t);
  await context.clock.install();
  const page = await context.newPage();
  await page.goto(
    new URL(new URL(server.page(head + scriptTag('data-auto-connect="false"'))).pathname, relay.origin).href,
  );
  relay.freeze();
  relay.swallowsAll = true;
  const accepted = relay.accepted;
  await page.evaluate(() => void window.djr.connect());
  await until('it tries', () => relay.accepted > accepted);
  relay.swallowsAll = false;
  await until('it is tried again', async () => {
    await context.clock.runFor(5000);
    return server.clients.length === 1;
  });
  t.pass();
});

test('A token that never comes does not stop the client for ever', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  await context.clock.install();
  const page = await context.newPage();
  await page.goto(server.page(head + scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    let asked = 0;
    window.djr.connect({ token: () => (asked++ === 0 ? new Promise(() => {}) : 'fresh') });
  });
  await until('it is asked again', async () => {
    await context.clock.runFor(5000);
    return server.clients.length === 1;
  });
  t.is(server.requests[0]!.get('token'), 'fresh');
});
