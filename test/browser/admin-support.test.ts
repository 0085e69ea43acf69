import test, { type ExecutionContext } from 'ava';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { RealtimeOptions } from '../../src/index.js';
import { startApp } from '../helpers/server.js';
import { until, useChromium } from './helpers/chromium.js';

const newContext = useChromium();

async function openAdmin(t: ExecutionContext, browser: BrowserContextOptions = {}, options: RealtimeOptions = {}) {
  const app = await startApp(t, { admin: { authorize: () => true }, ...options });
  const page = await (await newContext(t, browser)).newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (line) => /Content Security Policy/.test(line.text()) && complaints.push(line.text()));
  const open = async (path = '') => {
    await page.goto(`${app.origin}/realtime/admin/${path}`);
    return page;
  };
  return { ...app, page, open, complaints };
}

const rows = (page: Page) => page.locator('table.events tbody tr');
const watching = (page: Page) =>
  until('it is watching', async () => (await page.locator('#live-state').textContent()) === 'Watching');

test('the live view filters by user and by topic, also from the address', async (t) => {
  const { db, open, complaints } = await openAdmin(t);
  const page = await open('live/?user=42');
  await watching(page);
  await db.query("select djr.publish('43', 'other'), djr.publish_topic('room:7', 'said'), djr.publish('42', 'mine')");
  await rows(page).getByText('mine').waitFor();
  t.is(await rows(page).count(), 1);
  await page.getByLabel('User').fill('');
  await page.getByLabel('Topic').fill('room:7');
  await db.query(
    "select djr.publish('42', 'again'), djr.publish_topic('room:8', 'x'), djr.publish_topic('room:7', 'said')",
  );
  await rows(page).getByText('said').waitFor();
  t.is(await rows(page).count(), 2);
  await page.getByRole('link', { name: 'room:7' }).click();
  await page.waitForURL(/\?topic=room%3A7$/);
  t.is(await rows(page).count(), 2, 'both of room:7');
  t.deepEqual(complaints, []);
});

test("beside each time of UTC stands that of the reader's zone, also of what a search has put in", async (t) => {
  const { db, open, complaints } = await openAdmin(t, { timezoneId: 'Asia/Tokyo' });
  await db.query("select djr.publish_global('one')");
  await db.query('alter table djr.event disable trigger all');
  await db.query("update djr.event set created_at = '2026-01-02 20:04:05.678Z'");
  const page = await open();
  await page.getByText('Asia/Tokyo').waitFor();
  await rows(page).getByText('2026-01-03 05:04:05').waitFor();
  await page.getByLabel('Type').fill('one');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/type=one/);
  await rows(page).getByText('2026-01-03 05:04:05').waitFor();
  t.is(await page.locator('.local').count(), 1);
  t.deepEqual(complaints, []);
});

test('on a phone the filter is folded, opens by a tap, and what is searched for is told beside it', async (t) => {
  const { db, open } = await openAdmin(t, { viewport: { width: 390, height: 844 } });
  await db.query("select djr.publish('42', 'one'), djr.publish('43', 'two')");
  const page = await open();
  const user = page.getByRole('textbox', { name: 'User' });
  t.false(await user.isVisible());
  await page.getByText('Search and filter').click();
  await user.fill('42');
  await user.press('Enter');
  await page.getByText('Only user 42').waitFor();
  t.is(await page.getByRole('link', { name: 'Watch live' }).getAttribute('href'), '/realtime/admin/live/?user=42');
  t.is(await rows(page).count(), 1);
  await page.reload();
  t.false(await user.isVisible());
  t.true(await page.getByText('Only user 42').isVisible());
  await page.setViewportSize({ width: 1280, height: 800 });
  await user.waitFor();
});

test('on a phone no row of events is wider than its card', async (t) => {
  const { db, open } = await openAdmin(t, { viewport: { width: 390, height: 844 } });
  await db.query("select djr.publish('42', 'order_paid')");
  await db.query("select djr.record_activity('i', array[1], array['dispatched'], array['42'], array[null::int])");
  const page = await open();
  await page.getByText('nobody was connected', { exact: true }).last().waitFor();
  t.is(await page.locator('.table').evaluate((box) => box.scrollWidth - box.clientWidth), 0);
});

test('without JavaScript the filter is open on a phone', async (t) => {
  const { open } = await openAdmin(t, { viewport: { width: 390, height: 844 }, javaScriptEnabled: false });
  const page = await open();
  t.true(await page.getByRole('textbox', { name: 'User' }).isVisible());
});

test('on a phone each figure of an instance has its name, and nothing scrolls sideways', async (t) => {
  const { open } = await openAdmin(t, { viewport: { width: 390, height: 844 } });
  const page = await open('overview/');
  await until('the instance is there', async () => {
    await page.reload();
    return (await page.locator('table.instances tbody tr').count()) === 1;
  });
  const table = page.getByRole('region', { name: 'Instances and their figures' });
  t.is(await table.evaluate((box) => box.scrollWidth - box.clientWidth), 0);
  const names = await page
    .locator('table.instances td')
    .evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell, '::before').content));
  t.deepEqual(
    names,
    ['State', 'Clients', 'Events', 'Deliveries', 'Errors', 'Lag', 'Started', 'Seen'].map((name) => `"${name}"`),
  );
});
