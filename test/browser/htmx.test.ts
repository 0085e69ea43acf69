import { readFile } from 'node:fs/promises';
import { request as ask, createServer, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { startApp } from '../helpers/server.js';
import { logging, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const docs = await readFile(new URL('../../docs/http.md', import.meta.url), 'utf8');
const extensionsOwn = createRequire(import.meta.resolve('htmx-ext-sse'));
const extension = await readFile(extensionsOwn.resolve('./sse.js'), 'utf8');
/** The one that the extension depends on: the admin's htmx is a newer one. */
const htmx = await readFile(extensionsOwn.resolve('htmx.org/dist/htmx.js'), 'utf8');
const example = [...docs.matchAll(/```html\n([\s\S]*?)```/g)].find(([, code]) =>
  code!.includes('createEventSource'),
)![1]!;

const recipes = await readFile(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const elements = /### htmx[\s\S]*?```html\n.*\n([\s\S]*?)```/.exec(recipes)![1]!;
const versions = {
  'htmx 2': htmx,
  'htmx 4': await readFile(createRequire(import.meta.url).resolve('htmx.org/dist/htmx.js'), 'utf8'),
};

const newContext = useChromium();

const PAGE = `<!doctype html><html lang="en"><head><title>htmx</title>
<script>${htmx}</script><script>${extension}</script>
<script>
  window.log = [];
  for (const name of ['sse:order_changed', 'sse:reset'])
    addEventListener(name, ({ detail }) => log.push([name, JSON.parse(detail.data).n ?? null]));
</script></head><body>${example}</body></html>`;

/**
 * An app of which all goes through a hop that drops `Last-Event-ID`; `dropsQuery`: the id in the URL, too. The snippet's watchdog waits
 * for 2.5 heartbeats: where a test counts requests, no pause of a busy machine must be one.
 */
async function start(t: ExecutionContext, heartbeat = 60_000) {
  const app = await startApp(t, { heartbeat });
  const streams = new Set<ServerResponse>();
  const hop = {
    ...app,
    refuses: false,
    dropsQuery: false,
    /** Each request for the stream. */
    requests: [] as URLSearchParams[],
    orders: 0,
    cut: () => {
      for (const stream of streams) stream.destroy();
    },
    /** Swallows all that comes from the server, and ends nothing. */
    freeze: () => {
      for (const stream of streams) stream.emit('freeze');
    },
    page: '',
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    if (url.pathname === '/') return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE);
    if (url.pathname === '/orders') return response.end(`<li>${++hop.orders}</li>`);
    if (url.pathname !== '/realtime/sse/') return response.writeHead(404).end();
    hop.requests.push(new URLSearchParams(url.search));
    if (hop.refuses) return response.writeHead(503).end();
    const { 'last-event-id': _, ...headers } = request.headers;
    if (hop.dropsQuery) url.searchParams.delete('lastEventId');
    const onward = ask(`${app.origin}${url.pathname}${url.search}`, { headers, agent: false }, (answer) => {
      answer.on('error', () => {});
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
      response.once('freeze', () => {
        answer.unpipe(response);
        answer.resume();
      });
    });
    onward.on('error', () => response.destroy());
    onward.end();
    streams.add(response);
    response.once('close', () => {
      streams.delete(response);
      onward.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const page = await (await newContext(t)).newPage();
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await until('it is connected', () => streams.size === 1);
  const publish = (n: number) => app.db.query(`select djr.publish_global('order_changed', '{"n": ${n}}')`);
  // A stream that has begun to be opened has no beginning yet.
  for (let n = 0; (await seen(page)).length === 0; n--) await publish(n).then(() => page.waitForTimeout(50));
  await until('it is quiet', async () => (await seen(page)).length === (await app.db.query('table djr.event')).length);
  await page.evaluate(() => (window as unknown as { log: unknown[] }).log.splice(0));
  return { hop, page, publish };
}

const seen = (page: Page): Promise<unknown[]> => page.evaluate(() => (window as unknown as { log: unknown[] }).log);
const changed = (...numbers: number[]) => numbers.map((n) => ['sse:order_changed', n]);
const untilSeen = (page: Page, count: number) =>
  until(`${count} events`, async () => (await seen(page)).length >= count);

test('The htmx extension with the snippet of docs/http.md resumes after a 503, behind a hop that drops Last-Event-ID', async (t) => {
  const { hop, page, publish } = await start(t);
  await publish(1);
  await untilSeen(page, 1);
  hop.refuses = true;
  const before = hop.requests.length;
  hop.cut();
  await publish(2);
  await until('it is refused', () => hop.requests.length > before);
  hop.refuses = false;
  await publish(3);
  await untilSeen(page, 3);
  hop.cut();
  await publish(4);
  await untilSeen(page, 4);
  t.deepEqual(await seen(page), changed(1, 2, 3, 4));
  await until('htmx asks for the orders', () => hop.orders > 0);
});

test('The htmx extension with the snippet comes back from a connection that was swallowed without a word', async (t) => {
  const { hop, page, publish } = await start(t, 1000);
  hop.freeze();
  await publish(1);
  await publish(2);
  await untilSeen(page, 2);
  t.deepEqual(await seen(page), changed(1, 2));
});

test('Where the id is lost on the way, the snippet asks three times and then fires sse:reset, once', async (t) => {
  const { hop, page, publish } = await start(t);
  hop.dropsQuery = true;
  const before = hop.requests.length;
  hop.cut();
  await untilSeen(page, 1);
  t.is(hop.requests.length - before, 3);
  t.true(hop.requests.slice(before).every((query) => query.get('lastEventId')));
  await publish(5);
  await untilSeen(page, 2);
  t.deepEqual(await seen(page), [['sse:reset', null], ...changed(5)]);
});

for (const [name, script] of Object.entries(versions)) {
  test(`With ${name} the elements of docs/recipes.md are fetched anew at an event, at one of their row, and at a reset`, async (t) => {
    const server = await startStreamServer(t);
    const page = await (await newContext(t)).newPage();
    const asked: string[] = [];
    await page.route('**/orders{,/7/status}', (route) => {
      asked.push(new URL(route.request().url()).pathname);
      return route.fulfill({ body: `<b>${asked.length}</b>` });
    });
    await page.goto(
      server.page(`${logging('djr:connected') + scriptTag()}<script>${script}</script><body>${elements}</body>`),
    );
    await waitForEvent(page, 'djr:connected');
    const heard = async (frame: object, id: string, paths: string[]) => {
      asked.length = 0;
      server.send(frame, id);
      await until('the elements ask', () => asked.length >= paths.length);
      t.deepEqual(asked.toSorted(), paths);
    };
    await heard({ ':id': 8, type: 'order_changed' }, '1-a', ['/orders']);
    await heard({ ':id': 7, type: 'order_changed' }, '2-a', ['/orders', '/orders/7/status']);
    await heard({ type: 'reset', reason: 'pruned' }, '0-a', ['/orders']);
    await page.locator('ul b').waitFor();
    await page.locator('p b').waitFor();
  });
}
