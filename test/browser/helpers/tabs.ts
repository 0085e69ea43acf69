import type { BrowserContext, Page } from 'playwright-core';
import { detailsOf, logging, waitForEvent } from './chromium.js';
import { type StreamServer, scriptTag } from './stream-server.js';

/** What a page with one stream has in its head. */
export const head = logging('djr:chat', 'djr:connected', 'djr:disconnected', 'djr:reset') + scriptTag();

/** Opens a tab; its stream stands, or it hears the one of another tab. */
export async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await waitForEvent(page, 'djr:connected');
  return page;
}

export const logIn = (context: BrowserContext, server: StreamServer, user: string): Promise<void> =>
  context.addCookies([{ name: 'user', value: user, url: server.origin }]);

/** Of the chat events that a page's code got, in order. */
export const numbers = async (page: Page): Promise<number[]> =>
  (await detailsOf(page, 'djr:chat')).map((detail) => (detail as { n: number }).n);
