import test from 'ava';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { startStreamServer } from './helpers/stream-server.js';
import { head, numbers, open } from './helpers/tabs.js';

const newContext = useChromium();

test('A leading tab that shows confirm() silences nobody: another takes over, nothing is lost and nothing comes twice', async (t) => {
  const server = await startStreamServer(t);
  const { greeting } = server;
  server.greeting = (client) => {
    greeting(client);
    // Silence counts from 2.5 of them: a busy machine holds a page up for seconds.
    client.send({ type: 'connected', key: client.user, heartbeat: 3000 });
  };
  const beating = setInterval(() => server.send({ type: 'heartbeat' }), 1000);
  t.teardown(() => clearInterval(beating));
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(second, 'djr:chat');
  const dialog = first.waitForEvent('dialog');
  const asking = first.evaluate(() => confirm('Sure?'));
  const shown = await dialog;
  server.send({ type: 'chat', n: 2 }, '2-a');
  await until('the second tab has a stream of its own', () =>
    server.clients.some(
      ({ query }) => query.get('lastEventId')?.startsWith('1-') || query.get('lastEventId') === '0-start',
    ),
  );
  server.clients.at(-1)!.send({ type: 'chat', n: 2 }, '2-b');
  await waitForEvent(second, 'djr:chat', 2);
  await shown.accept();
  await asking;
  await waitForEvent(first, 'djr:chat', 2);
  await server.connected(1);
  server.send({ type: 'chat', n: 3 }, '3-b');
  for (const page of [first, second]) {
    await waitForEvent(page, 'djr:chat', 3);
    t.deepEqual(await numbers(page), [1, 2, 3]);
    t.deepEqual(await detailsOf(page, 'djr:reset'), []);
  }
});

test('djr.close(), as on a logout, makes the other tabs ask the server anew whose their stream is', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const url = server.page(head);
  const first = await open(context, url);
  const second = await open(context, url);
  await server.connected(1);
  await second.evaluate(() => window.djr.close());
  await until('the first tab asks anew', () => server.requests.length >= 3);
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  await waitForEvent(first, 'djr:chat');
  t.deepEqual(await numbers(second), []);
});
