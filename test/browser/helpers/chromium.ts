import test, { type ExecutionContext } from 'ava';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { until } from '../../helpers/server.js';
import { takeTurn } from '../../helpers/turn.js';
import { launchChromium } from './launch.js';

export { until };

/** One Chromium for the tests of a file; each context that is asked for is a browser profile of its own. */
export function useChromium(): (t: ExecutionContext, options?: BrowserContextOptions) => Promise<BrowserContext> {
  let browser: Browser;
  test.before(async () => {
    browser = await launchChromium();
  });
  test.after.always(() => browser?.close());
  return async (t, options) => {
    await takeTurn(t);
    const context = await browser.newContext(options);
    context.setDefaultTimeout(100_000);
    // tsx names the functions that it compiles by this helper, which a page does not have.
    await context.addInitScript('globalThis.__name = (target) => target');
    t.teardown(() => context.close());
    return context;
  };
}

/** What the page's log holds: names of DOM events with their details, in order. */
export type Log = [name: string, detail: unknown][];

/** A script for the head of a page, that logs these DOM events before anything else runs. */
export const logging = (...names: string[]) => `<script>
  window.log = [];
  for (const name of ${JSON.stringify(names)}) addEventListener(name, (event) => log.push([name, event.detail]));
</script>`;

export const logOf = (page: Page): Promise<Log> => page.evaluate(() => (window as unknown as { log: Log }).log);

/** The details of the events of one name that a page has logged. */
export const detailsOf = async (page: Page, name: string): Promise<unknown[]> =>
  (await logOf(page)).filter((entry) => entry[0] === name).map((entry) => entry[1]);

export const waitForEvent = (page: Page, name: string, count = 1): Promise<void> =>
  until(`${count} of ${name} on the page`, async () => (await detailsOf(page, name)).length >= count);
