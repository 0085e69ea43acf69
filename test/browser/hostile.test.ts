import test from 'ava';
import { detailsOf, logging, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

const elements = [
  '<img name="currentScript" src="https://evil.example/x.png" data-endpoint="https://evil.example/sse/">',
  '<a id="DjangoRealtime"></a>',
  '<a id="djr"></a><a id="djangoRealtimeConnection"></a>',
  '<form name="addEventListener"></form><img name="readyState"><img name="hidden"><img name="baseURI">',
  '<base href="https://evil.example/">',
];
for (const element of elements) {
  test(`User content neither moves the stream nor stops the client: ${element}`, async (t) => {
    const server = await startStreamServer(t);
    const page = await (await newContext(t)).newPage();
    const elsewhere: string[] = [];
    await page.route('https://evil.example/**', (route) => {
      elsewhere.push(route.request().url());
      return route.abort();
    });
    await page.goto(server.page(`${logging('djr:chat', 'djr:connected') + scriptTag()}</head><body>${element}`));
    await waitForEvent(page, 'djr:connected');
    server.send({ type: 'chat' }, '1-a');
    await waitForEvent(page, 'djr:chat');
    t.is(await page.evaluate(() => typeof window.djr.connect), 'function');
    t.deepEqual(
      elsewhere.filter((url) => !url.endsWith('.png')),
      [],
    );
  });
}

test('A token goes to another origin only where the code names the endpoint', async (t) => {
  const [server, other] = [await startStreamServer(t), await startStreamServer(t)];
  const page = await (await newContext(t)).newPage();
  const tag = scriptTag(`data-auto-connect="false" data-endpoint="${other.origin}/realtime/sse/"`);
  await page.goto(server.page(logging() + tag));
  const error = await page.evaluate(() => {
    try {
      window.djr.connect({ token: 'secret' });
    } catch (cause) {
      return `${cause}`;
    }
    return undefined;
  });
  t.regex(error!, /^TypeError: djr\.connect must be given the endpoint/);
  t.is(other.requests.length, 0);
});

test('Two copies of the client, and two ways to write the endpoint, are one connection', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(
    server.page(`${logging('djr:chat', 'djr:connected') + scriptTag()}<script type="module">
      import { connect } from '/realtime/djr.mjs';
      import { connect as hot } from '/realtime/djr.mjs?hot';
      connect({ endpoint: '/realtime/sse/' });
      hot({ endpoint: '/realtime/sse', onConnect: () => log.push(['hot', null]) });
    </script>`),
  );
  await waitForEvent(page, 'hot');
  server.send({ type: 'chat' }, '1-a');
  await waitForEvent(page, 'djr:chat');
  t.is((await detailsOf(page, 'djr:chat')).length, 1);
  t.is(server.requests.length, 1);
});

test('A reset that a reload does not cure is told once', async (t) => {
  const server = await startStreamServer(t);
  server.greeting = (client) => {
    client.send({ type: 'connected', resuming: true }, '0-a');
    client.send({ type: 'reset', reason: 'storage is off' }, '0-b');
    client.send({ type: 'chat' }, '1-a');
  };
  const page = await (await newContext(t)).newPage();
  const warnings: string[] = [];
  page.on('console', (message) => warnings.push(message.text()));
  let loads = 0;
  page.on('load', () => loads++);
  const reloading = `<script>addEventListener('djr:reset', () => location.reload())</script>`;
  await page.goto(server.page(logging('djr:chat') + reloading + scriptTag('data-since="1:1:"')));
  await page.waitForFunction(() => performance.getEntriesByType('navigation')[0]!.toJSON().type === 'reload');
  await waitForEvent(page, 'djr:chat');
  t.is(loads, 2);
  t.true(warnings.some((text) => text.includes('storage is off')));
});
