import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { until, useChromium } from './helpers/chromium.js';
import { begin } from './helpers/topics.js';

const newContext = useChromium();

const isJoined = (page: Page) =>
  until('the room is joined', () =>
    page.evaluate(() => (window as unknown as { room?: { state: string } }).room?.state === 'joined'),
  );

/** Serves pages of another origin than the app's. */
async function serve(t: ExecutionContext, html: string, policy: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy }).end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}

for (const [policy, attributes] of [
  [`script-src 'nonce-abc'`, 'nonce="abc"'],
  [`script-src 'nonce-abc' 'strict-dynamic'`, 'nonce="abc"'],
] as const) {
  test(`With ${policy}, and from another origin, the script and its part for topics load and nothing is refused`, async (t) => {
    const { app } = await begin(t, { authorizeTopic: () => true, allowedOrigins: ['http://localhost:1'] });
    const page = await (await newContext(t)).newPage();
    const refused: string[] = [];
    page.on('console', (message) => void (message.type() === 'error' && refused.push(message.text())));
    const html = `<!doctype html><title>policy</title>
      <script src="${app.origin}/realtime/djr.js" data-auto-connect="false" ${attributes}></script>
      <script ${attributes}>window.room = djr.join('room:7'); djr.connect({ endpoint: '/realtime/sse/' });</script>`;
    const url = await serve(t, html, `default-src 'none'; connect-src 'self'; ${policy}`);
    // The stream is of the page's own origin, the script of another one, as behind a CDN.
    await page.route('**/realtime/sse/**', async (route) => {
      const stream = new URL(route.request().url());
      await route.fulfill({
        contentType: 'text/event-stream',
        body: `id: 0-a\ndata: {"type":"connected","topics":${JSON.stringify(stream.searchParams.getAll('topic'))}}\n\n`,
      });
    });
    await page.goto(url);
    await isJoined(page);
    t.deepEqual(refused, []);
  });
}

for (const missing of ['locks', 'BroadcastChannel', 'AbortSignal.timeout', 'reportError']) {
  test(`Without ${missing}, as in an older browser, events and rooms come`, async (t) => {
    const { db, app } = await begin(t, { authorizeTopic: () => true });
    const page = await (await newContext(t)).newPage();
    await page.addInitScript((name) => {
      if (name === 'locks') Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
      else if (name === 'AbortSignal.timeout') Object.assign(AbortSignal, { timeout: undefined });
      else Object.assign(window, { [name]: undefined });
    }, missing);
    await page.goto(
      app.page('<script>addEventListener("djr:chat", ({ detail }) => { window.chat = detail.n; });</script>'),
    );
    await page.evaluate(() => Object.assign(window, { room: window.djr.join('room:7') }));
    await isJoined(page);
    await db.query(`select djr.publish_global('chat', '{"n": 7}')`);
    await until('it has come', () => page.evaluate(() => (window as unknown as { chat?: number }).chat === 7));
    t.is(app.open, 1);
  });
}

test('A page and its iframe share a stream, and a sandboxed iframe without an origin takes nothing from them', async (t) => {
  const { db, app } = await begin(t, {});
  const page = await (await newContext(t)).newPage();
  const listening = '<script>addEventListener("djr:chat", ({ detail }) => { window.chat = detail.n; });</script>';
  const inner = app.page(listening);
  await page.goto(
    app.page(`${listening}<script>addEventListener("load", () => {
      document.body.innerHTML = '<iframe src="${inner}"></iframe><iframe src="${inner}" sandbox="allow-scripts"></iframe>';
    });</script>`),
  );
  await until('three frames', () => page.frames().length === 3);
  await until('all that may hear it are connected', () =>
    page.evaluate(() => window.djangoRealtimeConnection?.readyState === 1),
  );
  await until('the iframe is connected', async () =>
    page.frames()[1]!.evaluate(() => window.djangoRealtimeConnection?.readyState === 1),
  );
  await db.query(`select djr.publish_global('chat', '{"n": 7}')`);
  for (const frame of page.frames().slice(0, 2)) {
    await until('it has come', () => frame.evaluate(() => (window as unknown as { chat?: number }).chat === 7));
  }
  await until('page and iframe share a stream', () => app.open === 1);
  t.is(app.open, 1);
});

test('A page kept for the back button gives its stream up, and gets what it missed when it is back', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const page = await (await newContext(t)).newPage();
  await page.goto(
    app.page('<script>window.chats = []; addEventListener("djr:chat", ({ detail }) => chats.push(detail.n));</script>'),
  );
  await page.evaluate(() => Object.assign(window, { room: window.djr.join('room:7') }));
  await isJoined(page);
  await page.goto('about:blank');
  await until('the stream is given up', () => app.open === 0);
  await db.query(`select djr.publish_global('chat', '{"n": 1}'), djr.publish_topic('room:7', 'chat', '{"n": 2}')`);
  await page.goBack({ waitUntil: 'commit' });
  await until('what was missed has come', () =>
    page.evaluate(() => (window as unknown as { chats?: number[] }).chats?.length === 2),
  );
  t.deepEqual(await page.evaluate(() => (window as unknown as { chats: number[] }).chats.toSorted()), [1, 2]);
});
