import test from 'ava';
import type { BrowserContext, Page } from 'playwright-core';
import type { TestDatabase } from '../helpers/database.js';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { begin, join, numbersOf, openPage, type RoomsPage, stateOf } from './helpers/topics.js';

const newContext = useChromium();

const PART = '**/djr-topics.mjs';

/** Requests of a context for the part of the client that knows topics. */
function countParts(context: BrowserContext): { readonly count: number } {
  const counted = { count: 0 };
  context.on('request', (request) => {
    if (request.url().endsWith('/djr-topics.mjs')) counted.count++;
  });
  return counted;
}

const positionOf = async (db: TestDatabase) =>
  (await db.query<{ since: string }>('select djr.position() as since'))[0]!.since;

const isJoined = (page: Page, topic: string) =>
  until(`${topic} is joined`, async () => (await stateOf(page, topic)) === 'joined');

test('A page that uses no topic does not load what knows them; one that joins loads it once', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  const parts = countParts(context);
  const page = await openPage(context, app);
  await db.query(`select djr.publish_global('end')`);
  await waitForEvent(page, 'djr:end');
  t.is(parts.count, 0);
  await join(page, 'room:1');
  await join(page, 'room:2');
  await isJoined(page, 'room:1');
  await isJoined(page, 'room:2');
  t.is(parts.count, 1);
});

test('While the part that knows topics cannot be had, the stream stands; when it comes, a room lacks nothing since its place', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  let asked = 0;
  await context.route(PART, (route) => (++asked < 3 ? route.abort() : route.continue()));
  const page = await openPage(context, app);
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  const since = await positionOf(db);
  await join(page, 'room:7', { since });
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 1}'), djr.publish_global('end')`);
  await waitForEvent(page, 'djr:end');
  await isJoined(page, 'room:7');
  await until('what was missed has come', async () => (await numbersOf(page, 'room:7')).length === 1);
  t.is(asked, 3);
  t.is(errors.length, 2);
  t.is(app.open, 1);
});

test('A part of another version is not used, and the error says what to do', async (t) => {
  const { app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  await context.route(PART, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: 'export const topics0 = () => {};' }),
  );
  const page = await openPage(context, app);
  const error = page.waitForEvent('pageerror');
  await join(page, 'room:7');
  t.regex((await error).message, /must be of the same version as the client: load the page again/);
  t.is(await stateOf(page, 'room:7'), 'joining');
});

test('A room that is left, or whose connection is closed, before the part has come is asked for nowhere', async (t) => {
  const { app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await context.route(PART, async (route) => {
    await held;
    await route.continue();
  });
  const page = await openPage(context, app);
  const before = app.streams;
  const states = await page.evaluate(() => {
    const left = window.djr.join('room:1');
    left.leave();
    const late = window.djr.join('room:2');
    Object.assign(window, { late });
    window.djr.close();
    return [left.state, window.djangoRealtimeConnection!.join('room:3').state];
  });
  t.deepEqual(states, ['left', 'left']);
  release();
  await until('the room of a closed connection is left', () =>
    page.evaluate(() => (window as unknown as { late: { state: string } }).late.state === 'left'),
  );
  t.is(app.streams, before);
});

test('A tab without rooms that leads has the rooms of the tabs that follow, and the next one has them when it goes', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  const leader = await openPage(context, app);
  const heir = await openPage(context, app);
  const member = await openPage(context, app);
  await until('one stream for all', () => app.open === 1);
  await join(member, 'room:1');
  await isJoined(member, 'room:1');
  await until('the leader asks for it', () => app.open === 1 && app.topics.length === 1);
  const publish = (n: number) => db.query(`select djr.publish_topic('room:1', 'message', $1)`, [{ n }]);
  await publish(1);
  await leader.close();
  await publish(2);
  await until('two have come', async () => (await numbersOf(member, 'room:1')).length === 2);
  await publish(3);
  await until('three have come', async () => (await numbersOf(member, 'room:1')).length === 3);
  t.deepEqual(await numbersOf(member, 'room:1'), [1, 2, 3]);
  t.deepEqual(await detailsOf(heir, 'djr:message'), []);
});

test('A leading tab that joins with an older place tells other tabs nothing that their state has', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  const leader = await openPage(context, app);
  const follower = await openPage(context, app);
  await until('they share a stream', () => app.open === 1);
  const publish = (n: number) => db.query(`select djr.publish_topic('room:1', 'message', $1)`, [{ n }]);
  const older = await positionOf(db);
  await publish(1);
  const newer = await positionOf(db);
  await publish(2);
  await join(follower, 'room:1', { since: newer });
  await until('the follower has caught up', async () => (await numbersOf(follower, 'room:1')).length === 1);
  await until('they share a stream', () => app.open === 1);
  await join(leader, 'room:1', { since: older });
  await until('the leader has caught up', async () => (await numbersOf(leader, 'room:1')).length === 2);
  await publish(3);
  for (const page of [leader, follower]) {
    await until('the last one has come', async () => (await numbersOf(page, 'room:1')).includes(3));
  }
  t.deepEqual(await numbersOf(leader, 'room:1'), [1, 2, 3]);
  t.deepEqual(await numbersOf(follower, 'room:1'), [2, 3]);
  await until('they share a stream again', () => app.open === 1);
  await publish(4);
  for (const page of [leader, follower]) {
    await until('what comes then has come', async () => (await numbersOf(page, 'room:1')).includes(4));
  }
  t.deepEqual(await numbersOf(leader, 'room:1'), [1, 2, 3, 4]);
  t.deepEqual(await numbersOf(follower, 'room:1'), [2, 3, 4]);
});

test('A tab that catches up in a room does not follow before it has, though the leader hears the room', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  const leader = await openPage(context, app);
  await join(leader, 'room:1');
  await isJoined(leader, 'room:1');
  const since = await positionOf(db);
  for (let n = 1; n <= 20; n += 1) await db.query(`select djr.publish_topic('room:1', 'message', $1)`, [{ n }]);
  const second = await openPage(context, app);
  // Within the time for which both streams stand.
  await join(second, 'room:1', { since });
  await until('they share a stream', () => app.open === 1);
  t.deepEqual(
    await numbersOf(second, 'room:1'),
    Array.from({ length: 20 }, (_, n) => n + 1),
  );
});

test('Presence of more users than are named is a count, and the list comes back when they are fewer', async (t) => {
  const { app } = await begin(t, { authorizeTopic: () => true, presence: true, retry: 0 });
  const page = await openPage(await newContext(t), app);
  await join(page, 'room:1');
  await isJoined(page, 'room:1');
  const present = (of = page) => of.evaluate(() => (window as unknown as RoomsPage).rooms['room:1']!.presence);
  const ending = new AbortController();
  t.teardown(() => ending.abort());
  // A stream that nobody holds is cancelled with the garbage.
  const held: Response[] = [];
  const come = async (n: number, { signal } = ending) => {
    held.push(await fetch(`${app.origin}/realtime/sse/?topic=room:1`, { signal, headers: { cookie: `user=u${n}` } }));
  };
  await Promise.all(Array.from({ length: 2 }, (_, n) => come(n)));
  await until('two are there, by name', async () => (await present())?.users?.length === 2);
  const crowd = new AbortController();
  await Promise.all(Array.from({ length: 200 }, (_, n) => come(n + 2, crowd)));
  await until('they are too many to be named', async () => (await present())?.count === 202);
  const counted = await present();
  const late = await openPage(await newContext(t), app);
  await join(late, 'room:1');
  await until('one that comes then knows how many', async () => (await present(late))?.count === 202);
  t.is((await present(late))!.users, undefined);
  crowd.abort();
  await until('the crowd is gone', async () => (await present())?.count === 2);
  t.is(counted!.users, undefined);
  for (const one of [page, late]) {
    await until('they are named again', async () => (await present(one))?.users?.length === 2);
    t.deepEqual((await present(one))!.users!.toSorted(), ['u0', 'u1']);
  }
  t.is(held.length, 202);
});
