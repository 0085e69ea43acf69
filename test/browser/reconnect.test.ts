import test from 'ava';
import { detailsOf, logging, logOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

test('A refusal does not end it: the client comes back with the id of its last frame', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(
    server.page(logging('djr:chat', 'djr:disconnected', 'djr:connected') + scriptTag('data-since="1:1:"')),
  );
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1042-k3f9.1.x');
  await waitForEvent(page, 'djr:chat');
  server.refusal = 503;
  server.clients[0]!.cut();
  await waitForEvent(page, 'djr:disconnected');
  await until('it was refused twice', () => server.requests.length >= 3);
  server.refusal = undefined;
  await server.connected(1);
  t.deepEqual(Object.fromEntries(server.clients[0]!.query), {
    shareKey: '1',
    heartbeat: '1',
    lastEventId: '1042-k3f9.1.x',
  });
  await waitForEvent(page, 'djr:connected', 2);
  t.is((await detailsOf(page, 'djr:disconnected')).length, 1);
});

test('Before any id is had, a new attempt starts at since again', async (t) => {
  const server = await startStreamServer(t);
  server.refusal = 503;
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(scriptTag('data-since="1:1:"')));
  await until('it was refused twice', () => server.requests.length >= 2);
  t.true(server.requests.every((query) => query.get('since') === '1:1:' && !query.has('lastEventId')));
});

test('The position in the connected frame is enough to come back to', async (t) => {
  const server = await startStreamServer(t);
  server.greeting = (client) => client.send({ type: 'connected' }, '0-k3f9.0.x');
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected') + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  server.refusal = 500;
  server.clients[0]!.cut();
  await until('it was refused', () => server.requests.length >= 2);
  server.refusal = undefined;
  await server.connected(1);
  t.is(server.clients[0]!.query.get('lastEventId'), '0-k3f9.0.x');
});

test('An event that is repeated after a reconnect is fired once, also when its position differs', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat') + scriptTag()));
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '1-a');
  server.send({ type: 'chat', n: 2 }, '2-a');
  await waitForEvent(page, 'djr:chat', 2);
  server.clients[0]!.cut();
  await until('the browser is back', () => server.requests.length >= 2 && server.clients.length === 1);
  t.is(server.clients[0]!.query.get('lastEventId'), '2-a');
  server.send({ type: 'chat', n: 1 }, '1-b');
  server.send({ type: 'chat', n: 2 }, '2-b');
  server.send({ type: 'chat', n: 3 }, '3-b');
  await waitForEvent(page, 'djr:chat', 3);
  t.deepEqual(
    (await detailsOf(page, 'djr:chat')).map((detail) => (detail as { n: number }).n),
    [1, 2, 3],
  );
});

test('After a reset numbers that come again, as after a restore, are other events', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat', 'djr:reset') + scriptTag()));
  await server.connected(1);
  server.send({ type: 'chat', n: 'before' }, '7-a');
  server.send({ type: 'reset', reason: 'the database was replaced or restored' }, '0-b');
  server.send({ type: 'chat', n: 'after' }, '7-b');
  await waitForEvent(page, 'djr:chat', 2);
  t.deepEqual(
    (await logOf(page)).map(([name]) => name),
    ['djr:chat', 'djr:reset', 'djr:chat'],
  );
});

test('A resume of 10,000 events that is cut off and begins again fires each once; what is remembered stays bounded', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(
    server.page(`${logging('djr:done') + scriptTag()}<script>
    let count = 0;
    addEventListener('djr:n', () => count++);
    addEventListener('djr:done', () => log.push(['count', count]));
  </script>`),
  );
  await server.connected(1);
  const resume = () => {
    for (let n = 1; n <= 10_000; n++) server.send({ type: 'n' }, `${n}-a`);
  };
  resume();
  server.send({ type: 'done' }, '10001-a');
  await waitForEvent(page, 'count');
  server.clients[0]!.cut();
  await until('it is back', () => server.requests.length >= 2 && server.clients.length === 1);
  resume();
  for (let n = 10_002; n <= 20_000; n++) server.send({ type: 'n' }, `${n}-a`);
  server.send({ type: 'n' }, '1-b'); // long forgotten
  server.send({ type: 'done' }, '20001-a');
  await waitForEvent(page, 'count', 2);
  t.deepEqual(await detailsOf(page, 'count'), [10_000, 20_000]);
});

test('Events without an id, as without storage, are all fired', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat') + scriptTag()));
  await server.connected(1);
  server.send({ type: 'chat', n: 1 }, '17');
  server.send({ type: 'chat', n: 2 });
  server.send({ type: 'chat', n: 3 });
  server.send({ type: 'chat', n: 4 }, '18');
  await waitForEvent(page, 'djr:chat', 4);
  t.deepEqual(
    (await detailsOf(page, 'djr:chat')).map((detail) => (detail as { n: number }).n),
    [1, 2, 3, 4],
  );
});

test('A token function is asked before each new request', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(scriptTag('data-auto-connect="false"')));
  server.refusal = 401;
  await page.evaluate(() => {
    let tokens = 0;
    window.djr.connect({ endpoint: '/realtime/sse/?types=a', token: async () => `token-${++tokens}` });
  });
  await until('it was refused', () => server.requests.length >= 1);
  server.refusal = undefined;
  await server.connected(1);
  t.deepEqual(
    server.requests.map((query) => `${query.get('types')} ${query.get('token')}`),
    server.requests.map((_, index) => `a token-${index + 1}`),
  );
});

test('A token that cannot be had is an error, and tried again', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging() + scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    let tries = 0;
    window.djr.connect({
      token: () => (tries++ === 0 ? Promise.reject(new Error('offline')) : 'fresh'),
      onError: (error) => log.push(['error', (error as ErrorEvent).error.message]),
    });
  });
  await server.connected(1);
  t.is(server.clients[0]!.query.get('token'), 'fresh');
  t.deepEqual(await logOf(page), [['error', 'offline']]);
});

test('Attempts are spread: the longer it lasts the rarer, up to 30 s', async (t) => {
  const server = await startStreamServer(t);
  server.refusal = 503;
  const page = await (await newContext(t)).newPage();
  // The clock of the page is ours: what would take minutes is told from the timers that the client sets.
  await page.goto(
    server.page(`<script>
      window.delays = [];
      const { setTimeout: real } = window;
      window.setTimeout = (call, delay) => real(call, delays.push(delay) > 20 ? 1e6 : 0);
      Math.random = () => 0.5;
    </script>${scriptTag()}`),
  );
  const delays = () => page.evaluate(() => (window as unknown as { delays: number[] }).delays);
  await until('it was refused seven times', async () => (await delays()).length >= 7);
  t.deepEqual((await delays()).slice(0, 7), [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

test('Online again, it does not wait for its turn', async (t) => {
  const server = await startStreamServer(t);
  server.refusal = 503;
  const page = await (await newContext(t)).newPage();
  await page.goto(
    server.page(`<script>Math.random = () => 1e6</script>${logging()}${scriptTag('data-auto-connect="false"')}`),
  );
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    window.djr.connect({ onError: () => log.push(['error', null]) });
  });
  await waitForEvent(page, 'error');
  server.refusal = undefined;
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await server.connected(1);
  t.is(server.requests.length, 2);
});

test('A page that is left gives its stream up, and has it again from the back button, with what it missed', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:chat', 'djr:connected') + scriptTag()));
  await server.connected(1);
  server.send({ type: 'chat' }, '5-a');
  await waitForEvent(page, 'djr:chat');
  await page.goto(server.page(''));
  await server.connected(0);
  // Not goBack(), which waits for a load that a page out of the cache does not have.
  await page.evaluate(() => history.back());
  await server.connected(1);
  // The stream may stand before the driver has heard that the page is another one; this waits across that.
  await page.waitForFunction(() => 'log' in window);
  t.is((await detailsOf(page, 'djr:chat')).length, 1, 'the page is as it was left');
  t.is(server.clients[0]!.query.get('lastEventId'), '5-a');
});

test('A frozen page gives its stream up until it thaws', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected') + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
  await server.connected(0);
  await page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await server.connected(1);
  t.is(server.clients[0]!.query.get('lastEventId'), '0-start');
});
