import type { ExecutionContext } from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import type { ScriptTagOptions } from '../../../src/http/script-tag.js';
import type { RealtimeOptions } from '../../../src/index.js';
import { createDatabase, type TestDatabase } from '../../helpers/database.js';
import { type App, startApp } from './app.js';
import { detailsOf, logging, waitForEvent } from './chromium.js';

/** What a page of these tests has: rooms by their topics, and what they heard in its log. */
export interface RoomsPage {
  rooms: Record<string, { state: string; presence?: { users?: string[]; count: number }; leave(): void }>;
  join(topic: string, options?: object): void;
  log: [string, unknown][];
  seals: (string | null)[];
}

const NAMES = ['connected', 'disconnected', 'message', 'end', 'seen', 'left', 'refused', 'reset', 'state'];

const head = `${logging(...NAMES.map((name) => `djr:${name}`))}<script>
  window.rooms = {};
  window.seals = [];
  window.join = (topic, options = {}) => {
    const room = djr.join(topic, { onLeft: (reason) => log.push(['onLeft', reason]), ...options });
    room.on('message', ({ n }) => log.push([topic, n]));
    room.on('presence', (presence) => log.push(['presence', presence]));
    rooms[topic] = room;
  };
  // Gives the seals of the test one after the other, and says that it was asked.
  window.nextSeal = async () => {
    log.push(['asked', null]);
    while (seals.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return seals.shift();
  };
</script>`;

export async function begin(t: ExecutionContext, options: RealtimeOptions): Promise<{ db: TestDatabase; app: App }> {
  const db = await createDatabase(t);
  return { db, app: await startApp(t, { database: db.url, ...options }) };
}

export const logIn = (context: BrowserContext, app: App, user: string): Promise<void> =>
  context.addCookies([{ name: 'user', value: user, url: app.origin }]);

export async function openPage(context: BrowserContext, app: App, tag?: ScriptTagOptions): Promise<Page> {
  const page = await context.newPage();
  await page.goto(app.page(head, tag));
  await waitForEvent(page, 'djr:connected');
  return page;
}

/** Joins; with `asks`, the seals come from `window.seals`. */
export const join = (page: Page, topic: string, options: { seal?: string; since?: string; asks?: true } = {}) =>
  page.evaluate(
    ([name, { asks, ...rest }]) => {
      const { nextSeal } = window as unknown as { nextSeal(): Promise<string> };
      (window as unknown as RoomsPage).join(name, { ...rest, ...(asks && { seal: nextSeal }) });
    },
    [topic, options] as const,
  );

export const stateOf = (page: Page, topic: string): Promise<string | undefined> =>
  page.evaluate((name) => (window as unknown as RoomsPage).rooms[name]?.state, topic);

/** Of the messages that a room got, in order. */
export const numbersOf = async (page: Page, topic: string): Promise<number[]> =>
  (await detailsOf(page, topic)) as number[];

export const sealOf = async (db: TestDatabase, topic: string, user: string | null = null, valid = '1 hour') =>
  (await db.query<{ seal: string }>('select djr.seal($1, $2::text, $3) as seal', [topic, user, valid]))[0]!.seal;
