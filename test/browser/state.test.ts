import test from 'ava';
import { detailsOf, logging, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';

const newContext = useChromium();

for (const status of [401, 403, 429, 503]) {
  test(`A page learns that its first connection was refused with ${status}, and when it is let in`, async (t) => {
    const server = await startStreamServer(t);
    server.refusal = status;
    const page = await (await newContext(t)).newPage();
    await page.goto(server.page(logging('djr:state', 'djr:connected') + scriptTag()));
    type Said = { state: string; status?: number; at?: number };
    const states = async () => (await detailsOf(page, 'djr:state')) as Said[];
    await until('it is told', async () => (await states()).some(({ state }) => state === 'refused'));
    const refused = (await states()).find(({ state }) => state === 'refused')!;
    t.is(refused.status, status);
    t.true(refused.at! > 0);
    t.is(await page.evaluate(() => window.djangoRealtimeConnection!.readyState), 0);
    server.refusal = undefined;
    await waitForEvent(page, 'djr:connected');
    t.is((await states()).at(-1)!.state, 'open');
    t.is(await page.evaluate(() => window.djangoRealtimeConnection!.readyState), 1);
    await page.evaluate(() => window.djr.close());
    t.is((await states()).at(-1)!.state, 'closed');
  });
}

test('The status element of docs/browser.md says what the stream is doing', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  const { readFileSync } = await import('node:fs');
  const docs = readFileSync(new URL('../../docs/browser.md', import.meta.url), 'utf8');
  const element = /```html\n(<djr-status>[\s\S]*?)```/.exec(docs)![1]!;
  await page.goto(server.page(`${scriptTag()}</head><body>${element}`));
  await page.locator('djr-status', { hasText: 'Live' }).waitFor();
  server.refusal = 401;
  server.clients[0]!.cut();
  await page.locator('djr-status', { hasText: 'Refused (401)' }).waitFor();
  t.pass();
});
