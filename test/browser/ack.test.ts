import test from 'ava';
import type { Djr } from '../../src/browser/client.js';
import { createDatabase } from '../helpers/database.js';
import { startApp } from './helpers/app.js';
import { logging, until, useChromium, waitForEvent } from './helpers/chromium.js';

const newContext = useChromium();

/** Acknowledges each task that comes, and keeps what became of it. */
const acknowledging = `${logging('djr:connected', 'djr:task')}<script>
  window.own = [];
  addEventListener('djr:task', async (event) => own.push(await djr.ack(event, event.detail.status)));
</script>`;

test('a page says that an event was read, and a second tab that shares its stream can, too', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const context = await newContext(t);
  await context.addCookies([{ name: 'user', value: 'alice', url: app.origin }]);
  const pages = [await context.newPage(), await context.newPage()];
  for (const page of pages) {
    await page.goto(app.page(acknowledging));
    await waitForEvent(page, 'djr:connected');
  }
  await database.query(`select djr.publish('alice', 'task', '{"status": "read"}'), djr.publish('alice', 'task', '{"status": "delivered"}'),
    djr.publish_global('task', '{"status": "read"}')`);
  const own = (page: (typeof pages)[0]) => page.evaluate(() => (window as unknown as { own: boolean[] }).own);
  for (const page of pages) {
    await until('three answers', async () => (await own(page)).length === 3);
    // What is for everyone is nobody's to acknowledge.
    t.deepEqual((await own(page)).sort(), [false, true, true]);
  }
  t.deepEqual(
    await database.query(`select event_id::int as id, status, user_id from djr.activity
      where status in ('read', 'delivered') order by event_id`),
    [
      { id: 1, status: 'read', user_id: 'alice' },
      { id: 2, status: 'delivered', user_id: 'alice' },
    ],
  );
});

test('djr.ack takes a detail or a number, and refuses what djr has not fired', async (t) => {
  const database = await createDatabase(t);
  const app = await startApp(t, { database: database.url });
  const context = await newContext(t);
  await context.addCookies([{ name: 'user', value: 'alice', url: app.origin }]);
  const page = await context.newPage();
  await page.goto(app.page(logging('djr:connected', 'djr:task')));
  await waitForEvent(page, 'djr:connected');
  await database.query(`select djr.publish('alice', 'task'), djr.publish('alice', 'task')`);
  await waitForEvent(page, 'djr:task', 2);
  const answers = await page.evaluate(async () => {
    const { djr, log } = window as unknown as { djr: Djr; log: [string, { type: string }][] };
    const detail = log.find(([name]) => name === 'djr:task')![1];
    const failure = await djr.ack({ ...detail }).catch((error: Error) => error.message);
    return [await djr.ack(detail), await djr.ack(2), await djr.ack(4711), failure];
  });
  t.deepEqual(answers, [true, true, false, 'djr.ack takes an event that djr has fired, or its number']);
});
