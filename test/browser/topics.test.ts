import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import type { RealtimeOptions } from '../../src/index.js';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { begin, join, logIn, numbersOf, openPage, type RoomsPage, sealOf, stateOf } from './helpers/topics.js';

const newContext = useChromium();

const start = async (t: ExecutionContext, options: RealtimeOptions = {}) => {
  const started = await begin(t, options);
  return { ...started, context: await newContext(t) };
};

test('A page that joins a room with a seal hears its events, on the room and on window, and no other room', async (t) => {
  const { db, app, context } = await start(t);
  await logIn(context, app, 'u');
  const page = await openPage(context, app);
  await join(page, 'room:7', { seal: await sealOf(db, 'room:7', 'u') });
  await until('it is joined', async () => (await stateOf(page, 'room:7')) === 'joined');
  await db.query(
    `select djr.publish_topic('room:8', 'message', '{"n": 0}'), djr.publish_topic('room:7', 'message', '{"n": 1}')`,
  );
  await db.query(`select djr.publish('u', 'end')`);
  await waitForEvent(page, 'djr:end');
  t.deepEqual(await numbersOf(page, 'room:7'), [1]);
  t.deepEqual(await detailsOf(page, 'djr:message'), [{ n: 1, ':topic': 'room:7', type: 'message' }]);
});

test('data-topics and data-seal of the script tag are heard from the first stream on, which is the only one', async (t) => {
  const { db, app, context } = await start(t);
  const page = await openPage(context, app, {
    topics: ['room:7', 'room:8'],
    seals: [undefined, await sealOf(db, 'room:8')],
  });
  await waitForEvent(page, 'djr:refused');
  t.deepEqual(await detailsOf(page, 'djr:refused'), [
    { type: 'refused', topic: 'room:7', reason: 'no seal, and no permission' },
  ]);
  await db.query(`select djr.publish_topic('room:7', 'message'), djr.publish_topic('room:8', 'message', '{"n": 8}')`);
  await waitForEvent(page, 'djr:message');
  t.deepEqual(await detailsOf(page, 'djr:message'), [{ n: 8, ':topic': 'room:8', type: 'message' }]);
});

test('A room that the page leaves is heard no more, and its other rooms miss nothing while streams change', async (t) => {
  const { db, app, context } = await start(t, { authorizeTopic: () => true });
  const page = await openPage(context, app);
  await join(page, 'room:0');
  await until('it is joined', async () => (await stateOf(page, 'room:0')) === 'joined');
  let published = 0;
  let publishing = true;
  const publisher = (async () => {
    while (publishing) await db.query(`select djr.publish_topic('room:0', 'message', $1)`, [{ n: ++published }]);
  })();
  for (let n = 1; n <= 5; n += 1) {
    await join(page, `room:${n}`);
    await until('it is joined', async () => (await stateOf(page, `room:${n}`)) === 'joined');
    const before = published;
    await page.evaluate((topic) => (window as never as RoomsPage).rooms[topic]!.leave(), `room:${n}`);
    await until('more is published', () => published > before + 10);
  }
  publishing = false;
  await publisher;
  await until('all have come', async () => (await numbersOf(page, 'room:0')).length >= published);
  t.deepEqual(
    await numbersOf(page, 'room:0'),
    Array.from({ length: published }, (_, n) => n + 1),
  );
  t.is(await stateOf(page, 'room:5'), 'left');
  await until('the last room is left', () => app.open === 1);
  await db.query(`select djr.publish_topic('room:5', 'message', '{"n": 5}'), djr.publish_global('end')`);
  await waitForEvent(page, 'djr:end');
  t.deepEqual(await numbersOf(page, 'room:5'), []);
});

test('A room that is joined later begins where the page read its state', async (t) => {
  const { db, app, context } = await start(t, { authorizeTopic: () => true });
  const page = await openPage(context, app);
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 1}')`);
  const [{ since }] = (await db.query<{ since: string }>('select djr.position() as since')) as [{ since: string }];
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 2}'), djr.publish_global('seen')`);
  await waitForEvent(page, 'djr:seen');
  await join(page, 'room:7', { since });
  await until('what was missed has come', async () => (await numbersOf(page, 'room:7')).length === 1);
  // Another part of the page has an older state of the same room: it gets what that lacks, and window gets nothing twice.
  await page.evaluate((place) => {
    const room = window.djr.join('room:7', { since: place });
    room.on('message', (detail) => (window as never as { log: unknown[] }).log.push(['again', detail.n]));
  }, since);
  await waitForEvent(page, 'again');
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 3}')`);
  await waitForEvent(page, 'again', 2);
  t.deepEqual(await numbersOf(page, 'room:7'), [2, 3]);
  t.deepEqual(await detailsOf(page, 'again'), [2, 3]);
  t.is((await detailsOf(page, 'djr:message')).length, 2);
});

/** `DJR_MINUTES=1` measures the whole minute that the documents tell of. */
const CHANGES = process.env.DJR_MINUTES ? 1200 * Number(process.env.DJR_MINUTES) : 200;

test('A page that joins and leaves 20 times a second opens few streams, and ends with what it wants', async (t) => {
  const { db, app, context } = await start(t, { authorizeTopic: () => true });
  const page = await openPage(context, app);
  const before = app.streams;
  const seconds = await page.evaluate(async (changes) => {
    const begun = performance.now();
    for (let n = 0; n < changes; n += 1) {
      const room = window.djr.join(`room:${n}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      room.leave();
    }
    return (performance.now() - begun) / 1000;
  }, CHANGES);
  t.log(`${app.streams - before} streams for ${CHANGES} changes in ${Math.round(seconds)} s`);
  // Five at once, then one a second.
  t.true(app.streams - before <= 6 + seconds, `${app.streams - before} streams in ${seconds} s`);
  await join(page, 'room:last');
  await until('it is joined', async () => (await stateOf(page, 'room:last')) === 'joined');
  await db.query(`select djr.publish_topic('room:last', 'message', '{"n": 1}')`);
  await until('it is heard', async () => (await numbersOf(page, 'room:last')).length === 1);
  t.deepEqual(await numbersOf(page, 'room:last'), [1]);
});

test('Joins and leaves of one moment are one change of the stream, and a room that is left at once none', async (t) => {
  const { app, context } = await start(t, { authorizeTopic: () => true });
  const page = await openPage(context, app);
  const before = app.streams;
  await page.evaluate(() => {
    window.djr.join('room:none').leave();
    for (let n = 0; n < 20; n += 1) (window as never as { join(topic: string): void }).join(`room:${n}`);
  });
  await until('all are joined', async () => (await stateOf(page, 'room:19')) === 'joined');
  t.is(await stateOf(page, 'room:0'), 'joined');
  t.is(app.streams, before + 1);
});

test('presence of a room says who is there, who came and who went', async (t) => {
  const { app, context } = await start(t, { authorizeTopic: () => true, presence: true, retry: 0 });
  const other = await newContext(t);
  await logIn(context, app, 'a');
  await logIn(other, app, 'b');
  const page = await openPage(context, app);
  await join(page, 'room:7');
  const present = (of: Page) => of.evaluate(() => (window as never as RoomsPage).rooms['room:7']!.presence);
  await until('a is there', async () => (await present(page))?.count === 1);
  const second = await openPage(other, app);
  await join(second, 'room:7');
  await until(
    'both are there, for both',
    async () => (await present(page))?.count === 2 && (await present(second))?.count === 2,
  );
  t.deepEqual((await present(page))!.users!.toSorted(), ['a', 'b']);
  await second.close();
  await until('b has left', async () => (await present(page))?.count === 1);
  t.deepEqual(
    (await detailsOf(page, 'presence'))
      .map((seen) => [(seen as Change).joined, (seen as Change).left])
      // The list that a page gets first may be from before its own coming: nobody has come or gone in it.
      .filter(([joined, left]) => joined!.length + left!.length > 0),
    [
      [['a'], []],
      [['b'], []],
      [[], ['b']],
    ],
  );
});

interface Change {
  joined: string[];
  left: string[];
}

test('djr.join wants a topic', async (t) => {
  const { app, context } = await start(t);
  const page = await openPage(context, app);
  const error = (topic: unknown) =>
    page.evaluate((value) => {
      try {
        window.djr.join(value as string);
        return '';
      } catch (err) {
        return `${err}`;
      }
    }, topic);
  t.is(await error(''), 'TypeError: djr.join must be given a topic, a text that is not empty (it is empty)');
  t.is(await error(7), 'TypeError: djr.join must be given a topic, a text that is not empty (it is number)');
});
