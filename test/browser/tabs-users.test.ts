import test from 'ava';
import type { Page } from 'playwright-core';
import { detailsOf, logging, logOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';
import { head, logIn, numbers, open } from './helpers/tabs.js';

const newContext = useChromium();

test('A tab of another user has a stream of its own, also while the old tab still leads', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  await logIn(context, server, 'alice');
  const alice = [await open(context, url), await open(context, url)];
  await server.connected(1);
  await logIn(context, server, 'bob');
  const bob = [await open(context, url), await open(context, url)];
  await server.connected(2);
  let id = 0;
  for (const page of [...alice, ...bob]) {
    await until('each has an event', async () => {
      id++;
      for (const client of server.clients) client.send({ type: 'chat', n: client.user === 'alice' ? 1 : 2 }, `${id}-a`);
      return (await numbers(page)).length > 0;
    });
  }
  // A stream that the browser itself cuts off meanwhile comes back with Bob's cookie: its page says so first.
  const shown = async (page: Page) => {
    const log = await logOf(page);
    const reset = log.findIndex(([name]) => name === 'djr:reset');
    const own = log.slice(0, reset < 0 ? log.length : reset).filter(([name]) => name === 'djr:chat');
    return new Set(own.map(([, detail]) => (detail as { n: number }).n));
  };
  for (const page of alice) t.false((await shown(page)).has(2));
  for (const page of bob) t.deepEqual(await shown(page), new Set([2]));
});

test('A stream that comes back as another user says so, and none of its events reach the old tabs', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  await logIn(context, server, 'alice');
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  await logIn(context, server, 'bob');
  const oldRequests = server.requests.length;
  server.clients[0]!.cut();
  // The one that led is Bob's now; the other is elected, and finds the same out for itself.
  for (const page of [first, second]) {
    await waitForEvent(page, 'djr:reset');
    t.deepEqual(await detailsOf(page, 'djr:reset'), [{ type: 'reset', reason: 'user' }]);
  }
  t.true(server.requests.length >= oldRequests + 2, 'each tab asked for itself whose it is');
  await until('all streams are of Bob', () => server.clients.every(({ user }) => user === 'bob'));
  await server.connected(1);
});

test('While a stream comes back, and as another user, tabs show nothing of theirs before they have said so', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  await logIn(context, server, 'alice');
  const alice = [await open(context, url), await open(context, url)];
  await server.connected(1);
  await logIn(context, server, 'bob');
  const bob = [await open(context, url), await open(context, url)];
  await server.connected(2);
  const [old, stream] = server.clients;
  t.deepEqual([old!.user, stream!.user], ['alice', 'bob']);

  // Her leading tab asks anew, with his cookie, and is not told yet whose stream it has.
  const { greeting } = server;
  server.greeting = (client) => client.send({ type: 'chat', n: 1 }, '1-b');
  old!.cut();
  const shown = async () => Promise.all(alice.map(async (page) => (await numbers(page)).length));
  await until('it comes back', async () => (await shown()).includes(1));
  stream!.send({ type: 'chat', n: 2 }, '2-b');
  for (const page of bob) {
    await waitForEvent(page, 'djr:chat');
    t.deepEqual(await numbers(page), [2]);
  }
  t.deepEqual((await shown()).sort(), [0, 1], 'no other tab hears what came before the key');

  server.greeting = greeting;
  const following = alice[(await shown()).indexOf(0)]!;
  greeting(server.clients.at(-1)!);
  for (const page of alice) await waitForEvent(page, 'djr:reset');
  let n = 2;
  for (const page of alice) {
    await until('it has events of the new user', async () => {
      server.send({ type: 'chat', n: ++n }, `${n}-b`);
      return (await numbers(page)).includes(n);
    });
  }
  const said = (await logOf(following)).filter(([name]) => name === 'djr:chat' || name === 'djr:reset');
  t.deepEqual(said[0], ['djr:reset', { type: 'reset', reason: 'user' }]);
});

test('A server that does not say whose a stream is gets one from each tab', async (t) => {
  const server = await startStreamServer(t);
  server.greeting = (client) => client.send({ type: 'connected' });
  const context = await newContext(t);
  const url = server.page(head);
  const pages = [await open(context, url), await open(context, url)];
  const locks = await pages[0]!.evaluate(() => navigator.locks.query());
  t.deepEqual([locks.held, locks.pending], [[], []]);
  t.is(server.clients.length, 2);
});

test('data-share-tabs="false" keeps a stream for each tab', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(logging('djr:connected') + scriptTag('data-share-tabs="false"'));
  const pages = [await open(context, url), await open(context, url)];
  const locks = await pages[0]!.evaluate(() => navigator.locks.query());
  t.deepEqual([locks.held, locks.pending], [[], []]);
  t.is(server.clients.length, 2);
});

test('Tabs that ask for different types have streams of their own', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const chat = await open(
    context,
    server.page(head.replace('defer', 'data-endpoint="/realtime/sse/?types=chat" defer')),
  );
  const news = await open(
    context,
    server.page(head.replace('defer', 'data-endpoint="/realtime/sse/?types=news" defer')),
  );
  await until('each leads its own', async () => {
    const { held } = await chat.evaluate(() => navigator.locks.query());
    return held!.length === 2;
  });
  server.clients[0]!.send({ type: 'chat' }, '1-a');
  server.clients[1]!.send({ type: 'chat' }, '2-a');
  for (const page of [chat, news]) {
    await waitForEvent(page, 'djr:chat');
    t.is((await detailsOf(page, 'djr:chat')).length, 1);
  }
});

test('data-key keeps tabs apart that the server would let share', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const red = await open(context, server.page(head.replace('defer', 'data-key="red" defer')));
  await open(context, server.page(head.replace('defer', 'data-key="blue" defer')));
  await until('each leads its own', async () => {
    const { held } = await red.evaluate(() => navigator.locks.query());
    return held!.length === 2;
  });
  t.is(server.clients.length, 2);
});

test('Streams of one user that the server tells apart are not shared, and nobody is told to reload', async (t) => {
  const server = await startStreamServer(t);
  let credentials = 'old';
  server.greeting = (client) => client.send({ type: 'connected', key: `alice.${credentials}` }, '0-a');
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  credentials = 'new';
  const second = await open(context, url);
  t.is((await first.evaluate(() => navigator.locks.query())).held!.length, 2);
  server.clients[0]!.cut();
  await server.connected(1);
  for (const page of [first, second]) t.deepEqual(await detailsOf(page, 'djr:reset'), []);
});
