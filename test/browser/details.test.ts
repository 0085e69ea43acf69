import test from 'ava';
import { createDatabase } from '../helpers/database.js';
import { HARD_DETAILS } from '../helpers/details.js';
import { startApp } from './helpers/app.js';
import { until, useChromium } from './helpers/chromium.js';

const newContext = useChromium();

/** As text, with the number that JSON has and JavaScript cannot hold. */
const show = (detail: { huge?: number }) => `${JSON.stringify(detail)} ${detail.huge}`;

/** Takes each detail as text in the page itself: a log that is fetched would be carried by something else. */
const taking = `<script>
  window.got = [];
  window.bare = [];
  const show = ${show};
  addEventListener('djr:connected', () => window.connected = true);
  addEventListener('djr:hard', ({ detail }) => got.push(show(detail)));
  new EventSource('/realtime/sse/').onmessage = ({ data }) => bare.push(show(JSON.parse(data)));
</script>`;

interface Taking {
  connected?: boolean;
  got: string[];
  bare: string[];
}

test('Details that are hard to carry reach a page, the tabs that share its stream, and a bare EventSource unchanged', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const context = await newContext(t);
  const url = app.page(taking);
  const pages = [await context.newPage(), await context.newPage()];
  const look = (page: (typeof pages)[0]) =>
    page.evaluate(() => {
      const { connected, got, bare } = window as unknown as Taking;
      return { connected, got, bare, polluted: 'admin' in {} };
    });
  for (const page of pages) {
    await page.goto(url);
    await until('it is connected', async () => {
      const { connected, bare } = await look(page);
      return connected === true && bare.length === 1;
    });
  }
  await until('the tabs share a stream', () => app.open === 3);

  for (const detail of HARD_DETAILS) await database.query("select djr.publish_global('hard', $1)", [detail]);
  const rows = await database.query<{ text: string }>(
    "select (detail - 'type')::text as text from djr.event order by id",
  );
  const wanted = rows.map(({ text }) => {
    const detail = JSON.parse(text);
    Object.defineProperty(detail, 'type', { value: 'hard', enumerable: true });
    return show(detail);
  });
  for (const page of pages) {
    await until('all have come', async () => {
      const { got, bare } = await look(page);
      return got.length === wanted.length && bare.length === wanted.length + 1;
    });
    const { got, bare, polluted } = await look(page);
    t.deepEqual(got, wanted);
    t.deepEqual(bare.slice(1), wanted);
    t.false(polluted);
  }
});
