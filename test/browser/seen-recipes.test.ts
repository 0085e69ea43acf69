import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { build } from 'esbuild';
import { createRealtime } from '../../src/index.js';
import { createDatabase } from '../helpers/database.js';
import { until, useChromium } from './helpers/chromium.js';

const docs = await readFile(new URL('../../docs/browser.md', import.meta.url), 'utf8');
const newContext = useChromium();
const recipe = (language: string, word: string) =>
  [...docs.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].find(([, code]) =>
    code!.includes(word),
  )![1]!;

/** An app that stores messages: `POST /messages` answers with the event's id, `GET /messages` with all texts. */
async function startMessages(t: ExecutionContext, head: (script: string) => string) {
  const db = await createDatabase(t);
  await db.query('create table message (id serial primary key, text text)');
  const realtime = createRealtime({ database: db.url });
  await realtime.start();
  const server = createServer(async (request, response) => {
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(head(realtime.scriptTag()));
    if (request.url !== '/messages') return realtime.handler(request, response);
    if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const [row] = await db.query<{ id: string }>(
        `with written as (insert into message (text) values ($1) returning id)
         select djr.publish_global('message', jsonb_build_object(':id', id)) as id from written`,
        [Buffer.concat(chunks).toString()],
      );
      response.setHeader('HX-Trigger', JSON.stringify({ written: { id: row!.id } }));
      return response.end(JSON.stringify(row));
    }
    const rows = await db.query<{ text: string }>('select text from message order by id');
    return response.end(JSON.stringify(rows.map(({ text }) => text)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    await realtime.stop();
    server.closeAllConnections();
    server.close();
  });
  const page = await (await newContext(t)).newPage();
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await until('it is connected', () => page.evaluate(() => window.djangoRealtimeConnection?.readyState === 1));
  return page;
}

test('With TanStack Query, a mutation is over when its event has come, and the list is new then', async (t) => {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { MutationObserver, QueryClient, QueryObserver } from '@tanstack/query-core';
        const queryClient = new QueryClient();
        const post = (url, { text }) => fetch(url, { method: 'POST', body: text }).then((response) => response.json());
        addEventListener('DOMContentLoaded', () => {
          ${recipe('js', 'addMessage')}
          const list = new QueryObserver(queryClient, { queryKey: ['messages'], queryFn: () => fetch('/messages').then((response) => response.json()) });
          list.subscribe(({ data }) => { window.shown = data; });
          window.write = (text) => new MutationObserver(queryClient, addMessage).mutate(text);
        });`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'iife',
  });
  const page = await startMessages(
    t,
    (script) => `<!doctype html><title>TanStack Query</title>${script}<script>${outputFiles[0]!.text}</script>`,
  );
  const fired = page.evaluate(() => new Promise((resolve) => addEventListener('djr:message', () => resolve('fired'))));
  await page.evaluate(() => (window as unknown as { write(text: string): Promise<void> }).write('hello'));
  t.is(await fired, 'fired');
  await until('the list shows it', () =>
    page.evaluate(() => String((window as unknown as { shown: string[] }).shown) === 'hello'),
  );
});

const own = createRequire(import.meta.resolve('htmx-ext-sse'));
for (const [name, file] of [
  ['htmx 2', own.resolve('htmx.org/dist/htmx.js')],
  ['htmx 4', createRequire(import.meta.url).resolve('htmx.org/dist/htmx.js')],
] as const) {
  test(`With ${name}, a form is busy until its event has come`, async (t) => {
    const htmx = await readFile(file, 'utf8');
    const page = await startMessages(
      t,
      (
        script,
      ) => `<!doctype html><title>${name}</title><script>${htmx}</script>${script}<body>${recipe('html', 'written')}
        <script>
          window.log = [];
          addEventListener('djr:message', () => log.push('fired'));
          new MutationObserver(([{ target }]) => log.push(target.ariaBusy))
            .observe(document.querySelector('form'), { attributeFilter: ['aria-busy'] });
        </script></body>`,
    );
    await page.click('button');
    await until('it is no longer busy', () =>
      page.evaluate(() => (window as never as { log: string[] }).log.at(-1) === 'false'),
    );
    const log = await page.evaluate(() => (window as never as { log: string[] }).log);
    t.true(log.indexOf('fired') >= 0 && log.indexOf('fired') < log.indexOf('false'), String(log));
  });
}
