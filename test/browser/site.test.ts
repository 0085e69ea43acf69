import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import axe from 'axe-core';
import { SECTIONS } from '../../scripts/site/pages.mjs';
import { useChromium } from './helpers/chromium.js';

const newContext = useChromium();
const dist = fileURLToPath(new URL('../../scripts/site/.vitepress/dist/', import.meta.url));
const pages = ['index', ...SECTIONS.flatMap((section) => section.pages)];
const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css', txt: 'text/plain' };

let server: Server;
let origin: string;

test.before('the site is built: a dead link fails it', async (t) => {
  t.timeout(300_000);
  const build = spawn(process.execPath, ['scripts/site/main.mjs', 'build'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  build.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [status] = await once(build, 'exit');
  t.is(status, 0, said);
  server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://localhost').pathname.replace(/\/$/, '/index.html');
    const file = path.join(dist, path.normalize(decodeURIComponent(name)));
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path.extname(file).slice(1)] ?? 'application/octet-stream' });
    void readFile(file).then((body) => response.end(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

test.after.always(() => {
  server?.closeAllConnections();
  server?.close();
});

for (const [colorScheme, viewport] of [
  ['light', { width: 1280, height: 800 }],
  ['dark', { width: 390, height: 844 }],
] as const) {
  test(`every page of the site reads well, ${colorScheme}, ${viewport.width} wide: axe finds nothing, and none is wider than the screen`, async (t) => {
    t.timeout(300_000);
    const page = await (await newContext(t, { colorScheme, viewport, reducedMotion: 'reduce' })).newPage();
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) foreign.push(request.url());
    });
    for (const name of pages) {
      await page.goto(`${origin}/${name}.html`, { waitUntil: 'networkidle' });
      t.true(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is too wide`);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() =>
        (
          window as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          }
        ).axe.run(),
      );
      const found = violations.map(({ id, nodes }) => `${name}: ${id} ${nodes[0]!.html.slice(0, 200)}`);
      t.deepEqual(found, []);
    }
    t.deepEqual(foreign, []);
  });
}

test('the search finds a function of SQL without asking another host', async (t) => {
  const page = await (await newContext(t)).newPage();
  await page.goto(`${origin}/index.html`);
  // Keys are heard only when the page's script has taken over what the server wrote.
  await page.waitForFunction(() => '__vue_app__' in document.querySelector('#app')!);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Search').fill('publish_topic');
  await page.locator('.VPLocalSearchBox .result').first().waitFor();
  const hrefs = await page
    .locator('.VPLocalSearchBox .result')
    .evaluateAll((results) => results.map((result) => (result as HTMLAnchorElement).pathname));
  t.true(hrefs.includes('/sql.html'), hrefs.join(' '));
});

test('llms.txt names every page, and each is there as text', async (t) => {
  const text = await readFile(path.join(dist, 'llms.txt'), 'utf8');
  for (const page of pages.slice(1)) {
    t.true(text.includes(`](${page}.md)`), page);
    t.true(existsSync(path.join(dist, `${page}.md`)), page);
  }
});
