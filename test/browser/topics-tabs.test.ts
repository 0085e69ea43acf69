import test from 'ava';
import { until, useChromium, waitForEvent } from './helpers/chromium.js';
import { begin, join, logIn, numbersOf, openPage, type RoomsPage, sealOf, stateOf } from './helpers/topics.js';

const newContext = useChromium();

test('Two tabs with different rooms share one stream, and each hears its own', async (t) => {
  const { db, app } = await begin(t, {});
  const context = await newContext(t);
  await logIn(context, app, 'u');
  const [one, other] = [await openPage(context, app), await openPage(context, app)];
  await join(one, 'room:1', { seal: await sealOf(db, 'room:1', 'u') });
  await join(other, 'room:2', { seal: await sealOf(db, 'room:2', 'u') });
  await until(
    'both are joined',
    async () => (await stateOf(one, 'room:1')) === 'joined' && (await stateOf(other, 'room:2')) === 'joined',
  );
  await until('they share a stream', () => app.open === 1);
  await db.query(
    `select djr.publish_topic('room:1', 'message', '{"n": 1}'), djr.publish_topic('room:2', 'message', '{"n": 2}'), djr.publish('u', 'end')`,
  );
  await Promise.all([waitForEvent(one, 'djr:end'), waitForEvent(other, 'djr:end')]);
  t.deepEqual([await numbersOf(one, 'room:1'), await numbersOf(one, 'room:2')], [[1], []]);
  t.deepEqual([await numbersOf(other, 'room:1'), await numbersOf(other, 'room:2')], [[], [2]]);
  const messages = (page: typeof one) =>
    page.evaluate(() => (window as unknown as RoomsPage).log.filter(([name]) => name === 'djr:message').length);
  t.deepEqual([await messages(one), await messages(other)], [1, 1]);
});

test('A tab that follows changes rooms through the tab that leads, and what it read a state of begins there', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true, presence: true });
  const context = await newContext(t);
  await logIn(context, app, 'u');
  const leader = await openPage(context, app);
  const follower = await openPage(context, app);
  await until('they share a stream', () => app.open === 1);
  await join(leader, 'room:1');
  await until('presence is known', async () =>
    leader.evaluate(() => (window as unknown as RoomsPage).rooms['room:1']!.presence?.count === 1),
  );
  // The stream has it already: nothing but the leading tab can say so.
  const before = app.streams;
  await join(follower, 'room:1');
  await until('it is joined', async () => (await stateOf(follower, 'room:1')) === 'joined');
  await until('presence is known', async () =>
    follower.evaluate(() => (window as unknown as RoomsPage).rooms['room:1']!.presence?.count === 1),
  );
  t.is(app.streams, before);
  const [{ since }] = (await db.query<{ since: string }>('select djr.position() as since')) as [{ since: string }];
  await db.query(`select djr.publish_topic('room:2', 'message', '{"n": 1}')`);
  await join(follower, 'room:2', { since });
  await until('what was missed has come', async () => (await numbersOf(follower, 'room:2')).length === 1);
  await until('they share a stream', () => app.open === 1);
  await db.query(`select djr.publish_topic('room:2', 'message', '{"n": 2}'), djr.publish('u', 'end')`);
  await waitForEvent(follower, 'djr:end');
  t.deepEqual(await numbersOf(follower, 'room:2'), [1, 2]);
});

test('When the tab that leads goes, the next one has the rooms of all, and no event is lost or doubled', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  await logIn(context, app, 'u');
  const pages = [await openPage(context, app), await openPage(context, app), await openPage(context, app)] as const;
  await until('one stream for all', () => app.open === 1);
  for (const [n, page] of pages.entries()) await join(page, `room:${n}`);
  for (const [n, page] of pages.entries()) {
    await until('it is joined', async () => (await stateOf(page, `room:${n}`)) === 'joined');
  }
  let published = 0;
  let publishing = true;
  const publisher = (async () => {
    while (publishing) {
      const detail = { n: ++published };
      await db.query(
        `select djr.publish_topic('room:0', 'message', $1), djr.publish_topic('room:1', 'message', $1), djr.publish_topic('room:2', 'message', $1)`,
        [detail],
      );
    }
  })();
  const more = async () => {
    const before = published;
    await until('more is published', () => published > before + 20);
  };
  await more();
  await pages[0].close();
  await more();
  await pages[1].close();
  await more();
  publishing = false;
  await publisher;
  await until('all have come', async () => (await numbersOf(pages[2], 'room:2')).length >= published);
  t.deepEqual(
    await numbersOf(pages[2], 'room:2'),
    Array.from({ length: published }, (_, n) => n + 1),
  );
  await until('the rooms of tabs that are gone are asked for no more', () => app.topics.length === 1);
  t.deepEqual(app.topics, ['room:2']);
});
