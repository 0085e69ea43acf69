import test from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import { detailsOf, logging, logOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { type StreamServer, scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

const head = logging('djr:chat', 'djr:connected', 'djr:disconnected', 'djr:reset') + scriptTag();

const open = async (context: BrowserContext, url: string) => {
  const page = await context.newPage();
  await page.goto(url);
  await waitForEvent(page, 'djr:connected');
  return page;
};

const logIn = (context: BrowserContext, server: StreamServer, user: string) =>
  context.addCookies([{ name: 'user', value: user, url: server.origin }]);

const numbers = async (page: Parameters<typeof detailsOf>[0]) =>
  (await detailsOf(page, 'djr:chat')).map((detail) => (detail as { n: number }).n);

test('Tabs come to share one stream, and each gets each event once all the while', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const pages = [await open(context, url), await open(context, url), await open(context, url)];
  server.send({ type: 'chat', n: 1 }, '1-a');
  await server.connected(1);
  server.send({ type: 'chat', n: 2 }, '2-a');
  for (const page of pages) {
    await waitForEvent(page, 'djr:chat', 2);
    t.deepEqual(await numbers(page), [1, 2]);
    t.is((await detailsOf(page, 'djr:connected')).length, 1);
  }
  t.is(server.requests.length, 3, 'each tab asked once whose it is');
});

test('When the leading tab closes, another goes on from its last id: nothing lost, nothing twice', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const others = [await open(context, url), await open(context, url)];
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  for (const page of others) await waitForEvent(page, 'djr:chat');
  await first.close();
  await until('another tab leads', () => server.requests.length === 4 && server.clients.length === 1);
  t.is(server.clients[0]!.query.get('lastEventId'), '1-a');
  server.send({ type: 'chat', n: 1 }, '1-b');
  server.send({ type: 'chat', n: 2 }, '2-b');
  for (const page of others) {
    await waitForEvent(page, 'djr:chat', 2);
    t.deepEqual(await numbers(page), [1, 2]);
    t.is((await detailsOf(page, 'djr:disconnected')).length, 0, 'a hand-over is no interruption');
  }
});

test('A tab that leads while it is still new starts where the last leader was, for the tabs that follow', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  server.clients[0]!.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(second, 'djr:chat');
  // The third has its own stream still, and is ahead of the leader there, when the first two go.
  const third = await open(context, url);
  await server.connected(2);
  server.clients[1]!.send({ type: 'chat', n: 2 }, '2-c');
  await waitForEvent(third, 'djr:chat');
  await first.close();
  await until('the second tab leads', () => server.clients.some(({ query }) => query.get('lastEventId') === '1-a'));
  server.clients.find(({ query }) => query.get('lastEventId'))!.send({ type: 'chat', n: 2 }, '2-b');
  await waitForEvent(second, 'djr:chat', 2);
  await second.close();
  await until('the third tab leads', () => server.clients.some(({ query }) => query.get('lastEventId') === '2-b'));
  t.deepEqual(await numbers(third), [2]);
});

test('Following tabs know when the stream is interrupted, and when it stands again', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const pages = [await open(context, url), await open(context, url)];
  await server.connected(1);
  server.refusal = 503;
  server.clients[0]!.cut();
  for (const page of pages) await waitForEvent(page, 'djr:disconnected');
  server.refusal = undefined;
  for (const page of pages) await waitForEvent(page, 'djr:connected', 2);
  t.is(server.clients.length, 1);
});

test('A reset reaches all tabs', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const pages = [await open(context, url), await open(context, url)];
  await server.connected(1);
  server.send({ type: 'reset', reason: 'pruned' }, '0-a');
  for (const page of pages) {
    await waitForEvent(page, 'djr:reset');
    t.deepEqual(await detailsOf(page, 'djr:reset'), [{ type: 'reset', reason: 'pruned' }]);
  }
});

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

test('A leading tab that is put away or frozen hands the lead on, and follows when it is back', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  await first.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await until('the second tab leads', () => server.requests.length === 3 && server.clients.length === 1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(second, 'djr:chat');
  await first.evaluate(() => document.dispatchEvent(new Event('resume')));
  await until('the first tab asks for what it missed', () => server.requests.length === 4);
  t.is(server.requests[3]!.get('lastEventId'), '0-start');
  server.clients.at(-1)!.send({ type: 'chat', n: 1 }, '1-b');
  await waitForEvent(first, 'djr:chat');
  await server.connected(1);
  server.send({ type: 'chat', n: 2 }, '2-a');
  for (const page of [first, second]) {
    await waitForEvent(page, 'djr:chat', 2);
    t.deepEqual(await numbers(page), [1, 2]);
  }
});

test('A tab that is shown hurries the one that leads', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(`<script>Math.random = () => 1e6</script>${head}`);
  const pages = [await open(context, url), await open(context, url)];
  await server.connected(1);
  server.refusal = 503;
  server.clients[0]!.cut();
  for (const page of pages) await waitForEvent(page, 'djr:disconnected');
  await until('it was refused, and waits', () => server.requests.length === 3);
  server.refusal = undefined;
  await pages[1]!.evaluate(async () => {
    const up = new Promise((resolve) => addEventListener('djr:connected', resolve, { once: true }));
    // Until it is heard: the refusal may not have reached the leading tab yet.
    const again = setInterval(() => dispatchEvent(new Event('online')), 20);
    await up;
    clearInterval(again);
  });
  t.is(server.clients.length, 1);
});

test('close() in one tab leaves the stream to the others', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  await first.evaluate(() => window.djr.close());
  await until('the second tab leads', () => server.requests.length === 3 && server.clients.length === 1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(second, 'djr:chat');
  t.deepEqual(await numbers(first), []);
});

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
  await until('it leads', () => server.requests.length === 3);
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
  await until('the second tab leads', () => server.requests.length === 3 && server.clients.length === 1);
  server.send({ type: 'chat', n: 1 }, '1-c');
  server.send({ type: 'chat', n: 3 }, '3-a');
  await waitForEvent(second, 'djr:chat', 2);
  t.deepEqual(await numbers(second), [2, 3]);
});
