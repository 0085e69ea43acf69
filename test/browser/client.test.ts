import test from 'ava';
import { detailsOf, logging, logOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

test('A script tag is all it takes: an event is fired on window with its detail and type', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected', 'djr:task_complete') + scriptTag()));
  await server.connected(1);
  server.send({ task_id: 123, status: 'success', type: 'task_complete' }, '1042-a');
  await waitForEvent(page, 'djr:task_complete');
  t.deepEqual(await logOf(page), [
    ['djr:connected', { type: 'connected' }],
    ['djr:task_complete', { task_id: 123, status: 'success', type: 'task_complete' }],
  ]);
});

test('A detail with :id is also fired under its id', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:import', 'djr:import:7', 'djr:import:8') + scriptTag()));
  await server.connected(1);
  server.send({ ':id': 7, type: 'import' }, '1-a');
  server.send({ ':id': 8, type: 'import' }, '2-a');
  await waitForEvent(page, 'djr:import:8');
  t.deepEqual(
    (await logOf(page)).map(([name]) => name),
    ['djr:import', 'djr:import:7', 'djr:import', 'djr:import:8'],
  );
});

test('A deferred script behind the client hears the first event', async (t) => {
  const server = await startStreamServer(t);
  server.greeting = (client) => client.send({ type: 'first' }, '1-a');
  const page = await (await newContext(t)).newPage();
  await page.route('**/late.js', async (route) => {
    await until('the client has run', () => page.evaluate(() => 'djr' in window));
    await route.fulfill({ body: 'addEventListener("djr:first", (event) => log.push(["late", event.detail]));' });
  });
  await page.goto(server.page(`${logging() + scriptTag()}<script src="/late.js" defer></script>`));
  await waitForEvent(page, 'late');
  t.deepEqual(await detailsOf(page, 'late'), [{ type: 'first' }]);
});

test('The stream is the one beside the script, or the one that data-endpoint names', async (t) => {
  const server = await startStreamServer(t);
  const context = await newContext(t);
  const page = await context.newPage();
  await page.goto(server.page(scriptTag('data-endpoint="/realtime/sse/?types=a,b&key=own" data-since="10:20:"')));
  await server.connected(1);
  t.deepEqual(Object.fromEntries(server.requests[0]!), {
    types: 'a,b',
    key: 'own',
    shareKey: '1',
    heartbeat: '1',
    since: '10:20:',
  });
});

test('data-auto-connect="false" leaves connecting to the page', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(scriptTag('data-auto-connect="false" data-since="5:5:"')));
  t.is(server.requests.length, 0);
  await page.evaluate(() => void window.djr.connect());
  await server.connected(1);
  t.is(server.clients[0]!.query.get('since'), '5:5:');
});

test('connect() tells the page what happens on its stream', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected', 'djr:disconnected') + scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    window.djr.connect({
      onMessage: (message) => log.push(['message', message]),
      onConnect: () => log.push(['connect', null]),
      onDisconnect: () => log.push(['disconnect', null]),
      onError: (error) => log.push(['error', error.type]),
      onReset: (reason) => log.push(['reset', reason]),
    });
  });
  await server.connected(1);
  server.clients[0]!.send({ type: 'chat', text: 'hi' }, '1-a');
  server.clients[0]!.send({ type: 'reset', reason: 'too old' }, '0-b');
  await waitForEvent(page, 'reset');
  server.refusal = 503;
  server.clients[0]!.cut();
  await waitForEvent(page, 'error');
  t.deepEqual((await logOf(page)).slice(0, 8), [
    ['djr:connected', { type: 'connected' }],
    ['message', { type: 'connected' }],
    ['connect', null],
    ['message', { type: 'chat', text: 'hi' }],
    ['message', { type: 'reset', reason: 'too old' }],
    ['reset', 'too old'],
    ['djr:disconnected', { type: 'disconnected' }],
    ['disconnect', null],
  ]);
});

test('What the client says itself no event can say, and djr:reset has its reason', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:reset', 'djr:error', 'djr:djr:x') + scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    window.djr.connect({ onReset: (reason) => log.push(['onReset', reason]) });
  });
  await server.connected(1);
  const own = [
    'connected',
    'disconnected',
    'reset',
    'heartbeat',
    'state',
    'error',
    'left',
    'refused',
    'presence',
    'djr:x',
  ];
  for (const [index, type] of own.entries()) server.send({ type, reason: 'forged' }, `${index + 1}-a`);
  server.send({ type: 'reset', reason: 'pruned' }, '0-b');
  await waitForEvent(page, 'onReset');
  t.deepEqual(await logOf(page), [
    ['djr:reset', { type: 'reset', reason: 'pruned' }],
    ['onReset', 'pruned'],
  ]);
});

test('subscribe() delivers detail and event, until it is ended', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:done') + scriptTag()));
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    const end = window.djr.subscribe('task', (detail, event) => {
      log.push([event.type, detail]);
      end();
    });
  });
  await server.connected(1);
  server.send({ type: 'task', n: 1 }, '1-a');
  server.send({ type: 'task', n: 2 }, '2-a');
  server.send({ type: 'done' }, '3-a');
  await waitForEvent(page, 'djr:done');
  t.deepEqual(await detailsOf(page, 'djr:task'), [{ type: 'task', n: 1 }]);
});

test('An error in one callback keeps the event from nobody else, and is reported', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(server.page(logging('djr:chat') + scriptTag('data-auto-connect="false"')));
  await page.evaluate(() => {
    const fail = (where: string) => () => {
      throw new Error(where);
    };
    const { log } = window as unknown as { log: unknown[] };
    window.djr.subscribe('chat', fail('subscriber'));
    window.djr.connect({ onMessage: fail('first'), onConnect: fail('onConnect') });
    window.djr.connect({ onMessage: (message) => log.push(['second', message]) });
  });
  await server.connected(1);
  server.send({ type: 'chat' }, '1-a');
  await until('the second callback has the event', async () => (await detailsOf(page, 'second')).length === 2);
  t.is((await detailsOf(page, 'djr:chat')).length, 1);
  t.deepEqual(errors, ['first', 'onConnect', 'subscriber', 'first']);
});

test('A frame that is no JSON is reported, and the next one comes through', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(server.page(logging('djr:fine') + scriptTag()));
  await server.connected(1);
  server.send('{"type":', '1-a');
  server.send({ type: 'fine' }, '2-a');
  await waitForEvent(page, 'djr:fine');
  t.deepEqual(
    errors.map((error) => error.name),
    ['SyntaxError'],
  );
});

test('A second connect() to the same endpoint joins it: each event is fired once', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected', 'djr:chat') + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  await page.evaluate(() => {
    const { log } = window as unknown as { log: unknown[] };
    window.djr.connect({ onConnect: () => log.push(['late', null]) });
  });
  await waitForEvent(page, 'late');
  server.send({ type: 'chat' }, '1-a');
  await waitForEvent(page, 'djr:chat');
  t.is(server.requests.length, 1);
  t.is((await detailsOf(page, 'djr:chat')).length, 1);
});

test('close() ends the stream, and what a connection had to say', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected') + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  const states = await page.evaluate(() => {
    const connection = window.djr.connect();
    const before = connection.readyState;
    window.djr.close();
    return [before, connection.readyState];
  });
  t.deepEqual(states, [1, 2]);
  await server.connected(0);
});

test('An app imports the module: connect, subscribe, close, and all of them as default', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(
    server.page(`${logging()}<script type="module">
      import djr, { connect, subscribe, close } from '/realtime/djr.mjs';
      subscribe('chat', (detail) => log.push(['chat', detail]));
      connect({ onConnect: () => log.push(['same', djr.connect === connect && djr.close === close]) });
    </script>`),
  );
  await waitForEvent(page, 'same');
  server.send({ type: 'chat' }, '1-a');
  await waitForEvent(page, 'chat');
  t.deepEqual(await logOf(page), [
    ['same', true],
    ['chat', { type: 'chat' }],
  ]);
});

test('A page written for DjangoRealtime works as it is', async (t) => {
  const server = await startStreamServer(t);
  server.greeting = (client) => client.send({ type: 'connected' });
  const page = await (await newContext(t)).newPage();
  await page.goto(
    server.page(`${logging('djr:connected', 'djr:page_imported:9') + scriptTag('data-auto-connect="false"')}<script>
      document.addEventListener('DOMContentLoaded', function () {
        DjangoRealtime.subscribe('page_imported', function (detail) { log.push(['subscribed', detail]); });
        window.connection = DjangoRealtime.connect({
          endpoint: '/realtime/sse/?token=t%20k',
          onConnect: function () { log.push(['onConnect', null]); },
          onMessage: function (data) { log.push(['onMessage', data]); },
          onError: function () {},
          debug: true,
        });
      });
    </script>`),
  );
  await server.connected(1);
  t.is(server.clients[0]!.query.get('token'), 't k');
  server.send({ ':id': 9, type: 'page_imported' });
  server.send({ ':id': 9, type: 'page_imported' });
  await until('both events are there', async () => (await detailsOf(page, 'onMessage')).length === 3);
  const detail = { ':id': 9, type: 'page_imported' };
  t.deepEqual(await logOf(page), [
    ['djr:connected', { type: 'connected' }],
    ['onMessage', { type: 'connected' }],
    ['onConnect', null],
    ...[1, 2].flatMap((): [string, unknown][] => [
      ['subscribed', detail],
      ['djr:page_imported:9', detail],
      ['onMessage', detail],
    ]),
  ]);
  await page.evaluate(() => (window as unknown as { connection: { close(): void } }).connection.close());
  await server.connected(0);
});

test('A page that runs the script twice still gets each event once', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(logging('djr:connected', 'djr:chat') + scriptTag() + scriptTag()));
  await waitForEvent(page, 'djr:connected');
  server.send({ type: 'chat' }, '1-a');
  await waitForEvent(page, 'djr:chat');
  t.is((await detailsOf(page, 'djr:chat')).length, 1);
  t.is(server.requests.length, 1);
});
