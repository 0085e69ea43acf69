import test from 'ava';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { startStreamServer } from './helpers/stream-server.js';
import { head, numbers, open } from './helpers/tabs.js';

const newContext = useChromium();

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
  await until('another tab leads', () => server.requests.length >= 4 && server.clients.length === 1);
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

test('A leading tab that is put away or frozen hands the lead on, and follows when it is back', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  await first.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await until('the second tab leads', () => server.requests.length >= 3 && server.clients.length === 1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(second, 'djr:chat');
  await first.evaluate(() => document.dispatchEvent(new Event('resume')));
  await until('the first tab asks for what it missed', () => server.requests.length >= 4);
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
  const [left] = server.clients;
  await first.evaluate(() => window.djr.close());
  await until('the first tab has closed its stream', () => !server.clients.includes(left!));
  // The second asks once because it leads, and again when it hears of the close, on which this server repeats nothing.
  await until('the second tab hears what comes', async () => {
    server.send({ type: 'chat', n: 1 }, '1-a');
    return (await numbers(second)).length > 0;
  });
  t.deepEqual(await numbers(second), [1]);
  t.deepEqual(await numbers(first), []);
});

test('Tabs that share a stream each have a large event whole, and the small ones around it in their order', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const pages = [await open(context, url), await open(context, url)];
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  server.send({ type: 'chat', n: 2, pad: 'ü'.repeat(500_000) }, '2-a');
  server.send({ type: 'chat', n: 3 }, '3-a');
  for (const page of pages) {
    await waitForEvent(page, 'djr:chat', 3);
    t.deepEqual(await numbers(page), [1, 2, 3]);
    t.is(((await detailsOf(page, 'djr:chat'))[1] as { pad: string }).pad.length, 500_000);
  }
});
