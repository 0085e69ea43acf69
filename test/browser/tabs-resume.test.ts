import test from 'ava';
import type { BrowserContext } from 'playwright-core';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { startStreamServer } from './helpers/stream-server.js';
import { head, numbers, open } from './helpers/tabs.js';

const newContext = useChromium();

/** Time passes in the pages of a profile only when the test says so. */
const withClock = async (context: BrowserContext) => {
  await context.clock.install({ time: 0 });
  await context.clock.pauseAt(1000);
  return context;
};

const LONG = 60_000;

test('A tab that is still catching up keeps its stream until it has everything', async (t) => {
  const server = await startStreamServer(t);
  const context = await withClock(await newContext(t));
  await open(context, server.page(head));
  const page = await open(context, server.page(head.replace('defer', 'data-since="1:1:" defer')));
  const [leader, own] = server.clients;
  let n = 100;
  await until('the tab hears the leader', async () => {
    leader!.send({ type: 'chat', n: ++n }, `${n}-a`);
    return (await numbers(page)).length > 0;
  });
  // Each time as long as a stream is kept beside the leader's that has nothing of its own to say.
  const overlap = 3000;
  for (const old of [1, 2, 3]) {
    own!.send({ type: 'chat', n: old }, `${old}-a`);
    await until('it catches up', async () => (await numbers(page)).includes(old));
    await page.clock.runFor(overlap);
    t.is(server.clients.length, 2);
  }
  await until('it follows', async () => {
    await page.clock.runFor(overlap);
    return server.clients.length === 1;
  });
});

test('A tab whose resume stands still keeps its stream until the server says that it is at its end', async (t) => {
  const server = await startStreamServer(t);
  const context = await withClock(await newContext(t));
  await open(context, server.page(head));
  server.greeting = (client) => client.send({ type: 'connected', key: client.user, resuming: true }, '0-old');
  const page = await open(context, server.page(head.replace('defer', 'data-since="1:1:" defer')));
  await page.clock.runFor(LONG);
  t.is(server.clients.length, 2);
  server.clients[0]!.send({ type: 'chat', n: 3 }, '103-a');
  await waitForEvent(page, 'djr:chat');
  await page.clock.runFor(LONG);
  t.is(server.clients.length, 2);
  server.clients[1]!.send({ type: 'chat', n: 1 }, '101-old');
  server.clients[1]!.send({ type: 'chat', n: 3 }, '103-b');
  await waitForEvent(page, 'djr:chat', 2);
  server.clients[1]!.send({ type: 'connected', key: 'nobody' });
  server.clients[1]!.send({ type: 'chat', n: 4 }, '104-b');
  await waitForEvent(page, 'djr:chat', 3);
  server.clients[0]!.send({ type: 'chat', n: 4 }, '104-a');
  await page.clock.runFor(LONG);
  await server.connected(1);
  t.deepEqual(await numbers(page), [3, 1, 4]);
  t.is((await detailsOf(page, 'djr:connected')).length, 1);
});

test('A tab that is elected while it resumes goes on with that first, and leads then', async (t) => {
  const server = await startStreamServer(t);
  const context = await withClock(await newContext(t));
  const first = await open(context, server.page(head));
  server.greeting = (client) => client.send({ type: 'connected', key: client.user, resuming: true }, '0-old');
  const second = await open(context, server.page(head.replace('defer', 'data-since="1:1:" defer')));
  let n = 100;
  await until('the second tab hears the first', async () => {
    server.clients[0]!.send({ type: 'chat', n: ++n }, `${n}-a`);
    return (await numbers(second)).length > 0;
  });
  await until('it has the last one', async () => (await numbers(second)).at(-1) === n);
  await first.close();
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-old');
  await until('the resume goes on', async () => (await numbers(second)).at(-1) === 1);
  t.is(server.requests.length, 2, 'in its own stream');
  server.send({ type: 'connected', key: 'nobody' });
  await until('it leads', () => server.requests.length >= 3);
  t.is(server.requests[2]!.get('lastEventId'), `${n}-a`, 'from where the last one was');
});

test('What the first tab catches up with is not fired in a tab that was opened later', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  server.greeting = (client) => client.send({ type: 'connected', key: client.user, resuming: true }, '0-old');
  const first = await open(context, server.page(head.replace('defer', 'data-since="1:1:" defer')));
  server.greeting = (client) => client.send({ type: 'connected', key: client.user }, '0-new');
  const second = await open(context, server.page(head));
  server.clients[0]!.send({ type: 'chat', n: 1 }, '101-old');
  await waitForEvent(first, 'djr:chat');
  server.clients[0]!.send({ type: 'connected', key: 'nobody' });
  await server.connected(1);
  server.send({ type: 'chat', n: 2 }, '102-a');
  for (const page of [first, second]) await waitForEvent(page, 'djr:chat', page === first ? 2 : 1);
  t.deepEqual(await numbers(first), [1, 2]);
  t.deepEqual(await numbers(second), [2]);
});

test('What a stream repeats from before a tab was there is not fired in it, joining or joined', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(first, 'djr:chat');
  const second = await open(context, url);
  await server.connected(2);
  // The leader hears this again while the second tab is joining: a resume may repeat.
  server.clients[0]!.send({ type: 'chat', n: 1 }, '1-b');
  server.send({ type: 'chat', n: 2 }, '2-a');
  await server.connected(1);
  await first.close();
  await until('the second tab leads', () => server.requests.length >= 3 && server.clients.length === 1);
  server.send({ type: 'chat', n: 1 }, '1-c');
  server.send({ type: 'chat', n: 3 }, '3-a');
  await waitForEvent(second, 'djr:chat', 2);
  t.deepEqual(await numbers(second), [2, 3]);
});
