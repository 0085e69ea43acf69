import test, { type ExecutionContext } from 'ava';
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { RealtimeOptions } from '../../src/index.js';
import { startApp } from '../helpers/server.js';
import { until, useChromium } from './helpers/chromium.js';

const newContext = useChromium();

/** Everyone is an administrator. What the page complains of fails the test. */
async function openAdmin(t: ExecutionContext, browser: BrowserContextOptions = {}, options: RealtimeOptions = {}) {
  const app = await startApp(t, { admin: { authorize: () => true }, ...options });
  const context = await newContext(t, browser);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on(
    'console',
    (message) => /Content Security Policy|Uncaught/.test(message.text()) && complaints.push(message.text()),
  );
  const root = `${app.origin}/realtime/admin/`;
  const open = async (path = '') => {
    await page.goto(root + path);
    return page;
  };
  return { ...app, root, page, open, complaints };
}

const rows = (page: Page) => page.locator('table.events tbody tr');

test('an event is found by a filter, opened, and its private data shown by a click', async (t) => {
  const { realtime, open, complaints } = await openAdmin(t);
  await realtime.publish({ userId: 42, type: 'order_paid', detail: { total: '19.90' }, privateData: { card: '4242' } });
  await realtime.publish({ scope: 'public', type: 'maintenance' });
  const page = await open();
  t.is(await rows(page).count(), 2);
  await page.getByLabel('Type').fill('order_*');
  await page.getByLabel('Type').press('Enter');
  await page.waitForURL(/type=order_\*/);
  await until('one is left', async () => (await rows(page).count()) === 1);

  await page.getByRole('link', { name: /order_paid/ }).click();
  await page.getByRole('heading', { name: 'order_paid' }).waitFor();
  t.false((await page.content()).includes('4242'));
  await page.getByText('Show the private data').click();
  await page.getByText('"card": "4242"').waitFor();
  t.regex(page.url(), /events\/1\/$/, 'htmx put it into the page');
  await page.goBack();
  await page.waitForURL(/type=order_\*/);
  t.deepEqual(complaints, []);
});

test('what looks like markup is text, in the list, on its page and in the live view', async (t) => {
  const { realtime, open, complaints } = await openAdmin(t);
  const evil = `<script>window.hacked=1</script><img/src=x/onerror="window.hacked=1">'"`;
  const publish = () =>
    realtime.publish({ type: evil, userId: evil, detail: { [evil]: evil }, privateData: { [evil]: evil } });
  await publish();
  for (const path of ['', `?user=${encodeURIComponent(evil)}`, 'events/1/', 'events/1/private/', 'replay/?id=1']) {
    const page = await open(path);
    t.true(await page.getByText('window.hacked=1').first().isVisible(), path);
    t.is(await page.locator('main img, main script').count(), 0, path);
  }
  const page = await open('live/');
  await until('it is watching', async () => (await page.locator('#live-state').textContent()) === 'Watching');
  await publish();
  await rows(page).first().getByText('window.hacked=1').first().waitFor();
  t.is(await page.evaluate('window.hacked'), undefined);
  t.deepEqual(complaints, []);
});

test('the selected are replayed after a confirmation, and the result links the new events', async (t) => {
  const { realtime, open, db, complaints } = await openAdmin(t);
  for (const type of ['one', 'two', 'three']) await realtime.publish({ scope: 'public', type });
  const page = await open();
  await page.getByLabel('Select event 1').check();
  await page.getByLabel('Select event 3').check();
  await page.getByRole('button', { name: /Replay the selected/ }).click();
  await page.getByRole('heading', { name: 'Replay these 2 events?' }).waitFor();
  await page.getByRole('button', { name: 'Replay these 2 events' }).click();
  await page.getByRole('heading', { name: '2 events replayed' }).waitFor();
  t.deepEqual(
    (await db.query('select type, replay_of from djr.event where id > 3 order by id')).map(
      ({ replay_of }) => replay_of,
    ),
    ['3', '1'],
  );
  await page.reload();
  t.is((await db.query('select from djr.event')).length, 5, 'a page loaded again sends nothing');
  await page.getByRole('link', { name: /one 5/ }).click();
  await page.getByText('Replay of').waitFor();
  t.deepEqual(complaints, []);
});

test('the live view shows what comes, holds it while paused, and filters', async (t) => {
  const { realtime, open, complaints } = await openAdmin(t);
  const page = await open('live/');
  await until('it is watching', async () => (await page.locator('#live-state').textContent()) === 'Watching');
  await realtime.publish({ userId: 42, type: 'first', privateData: { card: '4242' } });
  await rows(page).getByText('first').waitFor();
  t.false((await page.content()).includes('4242'));

  const pause = page.getByRole('button', { name: 'Pause' });
  await pause.click();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await until('the other is watching', async () => (await other.locator('#live-state').textContent()) === 'Watching');
  await realtime.publish({ scope: 'public', type: 'second' });
  await rows(other).getByText('second').waitFor();
  t.is(await rows(page).count(), 1);
  await pause.click();
  await rows(page).getByText('second').waitFor();

  await page.getByLabel('Type begins with').fill('order_');
  await realtime.publish({ scope: 'public', type: 'other' });
  await realtime.publish({ scope: 'public', type: 'order_paid' });
  await rows(page).getByText('order_paid').waitFor();
  t.is(await rows(page).count(), 3);
  await page.getByRole('button', { name: 'Clear' }).click();
  t.is(await rows(page).count(), 0);
  t.deepEqual(complaints, []);
});

test('all but the live view works without JavaScript', async (t) => {
  const { realtime, open } = await openAdmin(t, { javaScriptEnabled: false });
  await realtime.publish({ userId: 42, type: 'order_paid', privateData: { card: '4242' } });
  await realtime.publish({ scope: 'public', type: 'maintenance' });
  const page = await open();
  t.false(await page.locator('[data-select-all]').isVisible(), 'no box that does nothing');
  await page.getByRole('textbox', { name: 'User' }).fill('42');
  await page.getByRole('button', { name: 'Search' }).click();
  await until('one is left', async () => (await rows(page).count()) === 1);
  await page.getByRole('link', { name: /order_paid/ }).click();
  await page.getByText('Show the private data').click();
  await page.getByText('"card": "4242"').waitFor();
  await page.getByRole('link', { name: '1', exact: true }).click();
  await page.getByRole('button', { name: /Replay/ }).click();
  await page.getByRole('button', { name: 'Replay this event' }).click();
  await page.getByRole('heading', { name: 'Replayed' }).waitFor();
  await open('overview/');
  t.is(await page.locator('svg').count(), 6);
  await open('live/');
  await page.getByText('The live view needs JavaScript').waitFor();
});

test('by keyboard alone: skip the navigation, search, select and replay', async (t) => {
  const { realtime, open, db } = await openAdmin(t);
  await realtime.publish({ scope: 'public', type: 'one' });
  const page = await open();
  await page.keyboard.press('Tab');
  t.is(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  t.is(await page.evaluate(() => (document.activeElement as HTMLInputElement).name), 'type');
  await page.keyboard.type('one');
  await page.keyboard.press('Enter');
  await page.waitForURL(/type=one/);
  await page.getByLabel('Select event 1').focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: /Replay the selected/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Replay this event' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Replayed' }).waitFor();
  t.is((await db.query('select from djr.event')).length, 2);
});

test('one box selects all of a page, also of one that a search has put in', async (t) => {
  const { realtime, open } = await openAdmin(t);
  for (let n = 0; n < 3; n++) await realtime.publish({ scope: 'public', type: 'one' });
  const page = await open();
  await page.getByLabel('Type').fill('one');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/type=one/);
  await page.getByLabel('Select all of this page').check();
  t.is(await page.locator('input[name=id]:checked').count(), 3);
  await page.getByLabel('Select event 2').uncheck();
  t.false(await page.getByLabel('Select all of this page').isChecked());
});

const PAGES = [
  '',
  '?type=none',
  '?detail=x',
  '?scope=control',
  `?user=${'u'.repeat(255)}`,
  `?topic=room:${'7'.repeat(250)}`,
  'events/1/',
  'events/4/',
  'events/5/',
  'replay/?id=1',
  'replay/?done=1',
  'live/',
  'overview/',
  'nowhere/',
];

// What a colour does and what a width does have nothing to do with one another: two of the four pairs show both.
for (const [colorScheme, width] of [
  ['light', 1100],
  ['dark', 390],
] as const) {
  test(`no page keeps anyone out (axe-core) or scrolls sideways, ${colorScheme}, ${width} wide`, async (t) => {
    const { db, realtime, open, page, complaints } = await openAdmin(t, { colorScheme }, { presence: true });
    await db.query("select djr.configure(activity => 'full')");
    const long = { text: 'x'.repeat(2000), words: 'many words '.repeat(50) };
    await realtime.publish({
      userId: 'u'.repeat(255),
      type: 't'.repeat(200),
      detail: long,
      privateData: long,
      key: 'k'.repeat(200),
    });
    const statuses = ['dispatched', 'sent', 'error'];
    await db.query('select djr.record_activity($1, array[1, 1, 1], $2, array[null, $3, null], array[null, 12345, 2])', [
      'i'.repeat(60),
      statuses,
      'u'.repeat(255),
    ]);
    for (const type of ['order_paid', 'order_shipped']) await realtime.publish({ scope: 'public', type });
    await db.query('select djr.publish_topic($1, $2)', [`room:${'7'.repeat(250)}`, 'said']);
    await db.query(
      "select djr.disconnect($1::text), djr.record_activity('i', array[4], array['dispatched'], array[null::text], array[null::int])",
      ['u'.repeat(255)],
    );
    await page.setViewportSize({ width, height: 800 });
    for (const path of PAGES) {
      await open(path);
      if (path === 'live/') {
        await until('it is watching', async () => (await page.locator('#live-state').textContent()) === 'Watching');
        await realtime.publish({ scope: 'public', type: 'order_paid', detail: long });
        await rows(page).first().waitFor();
      }
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finish())));
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      t.is(wider, 0, `${path} at ${width} px scrolls sideways`);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() =>
        (
          window as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          }
        ).axe.run(),
      );
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      t.deepEqual(found, [], `${path} at ${width} px`);
    }
    t.deepEqual(complaints, []);
  });
}
