import test from 'ava';
import axe from 'axe-core';
import { startPlayground } from '../../examples/playground/server.js';
import { createDatabase } from '../helpers/database.js';
import { useChromium } from './helpers/chromium.js';

const newContext = useChromium();

test.serial('SQL on the left is heard on the right by whom it is for, and its frame stands below', async (t) => {
  const database = await createDatabase(t);
  const playground = await startPlayground({ databaseUrl: database.url, port: 0 });
  t.teardown(() => playground.close());
  const page = await (await newContext(t, { viewport: { width: 1280, height: 900 } })).newPage();
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(playground.url);
  const [ann, bob, visitor] = ["Ann's browser", "Bob's browser", "A visitor's browser, not logged in"].map((title) =>
    page.frameLocator(`iframe[title="${title}"]`),
  );
  await ann!.getByText('is in room:7').waitFor();
  await bob!.getByText('may not hear room:7').waitFor();
  await page.locator('#frames').getByText('"connected"').waitFor();

  await page.getByLabel('Statement').selectOption('To a room');
  await page.getByRole('button', { name: 'Run' }).click();
  await ann!.getByText('djr:message').waitFor();
  await page.getByLabel('Statement').selectOption('To everybody');
  await page.locator('#sql').press('Control+Enter');
  for (const pane of [ann, bob, visitor]) await pane!.getByText('djr:maintenance').waitFor();
  t.is(await bob!.getByText('djr:message').count(), 0);
  t.is(await visitor!.getByText('djr:message').count(), 0);
  await page.locator('#frames').getByText('Hello, room 7!').waitFor();

  await page.getByLabel('Statement').selectOption('Too large');
  await page.getByRole('button', { name: 'Run' }).click();
  await page.locator('#result').getByText('DJR05').waitFor();
  t.deepEqual(errors, []);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`the playground keeps nobody out (axe-core), ${colorScheme}, and fits a phone`, async (t) => {
    const database = await createDatabase(t);
    const playground = await startPlayground({ databaseUrl: database.url, port: 0 });
    t.teardown(() => playground.close());
    const page = await (await newContext(t, { colorScheme, viewport: { width: 390, height: 844 } })).newPage();
    await page.goto(playground.url);
    await page.frameLocator('iframe >> nth=0').getByText('is in room:7').waitFor();
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#result').getByText('SELECT').waitFor();
    t.true(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    // The policy of the page lets no script in that is evaluated as text of a tag; the driver's own evaluation is.
    for (const frame of page.frames()) {
      await frame.evaluate(axe.source);
      const { violations } = await frame.evaluate(() =>
        (
          window as unknown as {
            axe: {
              run(
                context: Document,
                options: object,
              ): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
            };
          }
        ).axe.run(document, { iframes: false }),
      );
      t.deepEqual(
        violations.map(({ id, nodes }) => `${id} ${nodes[0]!.html}`),
        [],
      );
    }
  });
}
