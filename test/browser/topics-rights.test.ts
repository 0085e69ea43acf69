import test from 'ava';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { begin, join, logIn, numbersOf, openPage, type RoomsPage, sealOf, stateOf } from './helpers/topics.js';

const newContext = useChromium();

const give = (page: { evaluate: (code: (seal: string) => void, seal: string) => Promise<void> }, seal: string) =>
  page.evaluate((text) => {
    (window as unknown as RoomsPage).seals.push(text);
  }, seal);

test('A seal is asked for again before the old one ends, and no event is missed meanwhile', async (t) => {
  const { db, app } = await begin(t, {});
  const page = await openPage(await newContext(t), app);
  // It is asked for after four fifths: what is left must be enough on a busy machine.
  await give(page, await sealOf(db, 'room:7', null, '15 seconds'));
  await join(page, 'room:7', { asks: true });
  await until('it is joined', async () => (await stateOf(page, 'room:7')) === 'joined');
  let n = 0;
  const until2 = async () => {
    await db.query(`select djr.publish_topic('room:7', 'message', $1)`, [{ n: ++n }]);
    return (await detailsOf(page, 'asked')).length > 1;
  };
  await until('the next seal is asked for', until2);
  await give(page, await sealOf(db, 'room:7'));
  await until('the new seal is shown', async () => app.streams >= 3 && app.open === 1);
  await db.query(`select djr.publish_topic('room:7', 'message', $1)`, [{ n: ++n }]);
  await until('all have come', async () => (await numbersOf(page, 'room:7')).length >= n);
  t.deepEqual(
    await numbersOf(page, 'room:7'),
    Array.from({ length: n }, (_, index) => index + 1),
  );
  t.deepEqual(await detailsOf(page, 'djr:left'), []);
});

test('A seal that is a text ends with it: the room says left, and why, and the stream stands', async (t) => {
  const { db, app } = await begin(t, {});
  const page = await openPage(await newContext(t), app);
  await join(page, 'room:7', { seal: await sealOf(db, 'room:7', null, '10 seconds') });
  await waitForEvent(page, 'djr:left');
  t.deepEqual(await detailsOf(page, 'djr:left'), [{ type: 'left', topic: 'room:7', reason: 'the seal has expired' }]);
  t.deepEqual(await detailsOf(page, 'onLeft'), ['the seal has expired']);
  t.is(await stateOf(page, 'room:7'), 'left');
  await db.query(`select djr.publish_topic('room:7', 'message'), djr.publish_global('end')`);
  await waitForEvent(page, 'djr:end');
  t.deepEqual(await numbersOf(page, 'room:7'), []);
});

test('A permission that is taken back is asked for once: a member goes on, a former member is told', async (t) => {
  const { db, app } = await begin(t, {});
  const context = await newContext(t);
  await logIn(context, app, 'u');
  const page = await openPage(context, app);
  await give(page, await sealOf(db, 'room:7', 'u'));
  await join(page, 'room:7', { asks: true });
  await until('it is joined', async () => (await stateOf(page, 'room:7')) === 'joined');
  await app.realtime.recheck('u', 'room:7');
  await waitForEvent(page, 'asked', 2);
  await give(page, await sealOf(db, 'room:7', 'u'));
  await until('it is joined again', async () => (await stateOf(page, 'room:7')) === 'joined');
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 1}')`);
  await until('it is heard', async () => (await numbersOf(page, 'room:7')).length === 1);
  t.deepEqual(await detailsOf(page, 'onLeft'), []);
  const old = await sealOf(db, 'room:7', 'u');
  await app.realtime.recheck();
  await waitForEvent(page, 'asked', 3);
  await give(page, old);
  await waitForEvent(page, 'onLeft');
  t.deepEqual(await detailsOf(page, 'djr:refused'), [
    { type: 'refused', topic: 'room:7', reason: 'the seal was made before the permission was taken back' },
  ]);
  t.is((await detailsOf(page, 'asked')).length, 3);
  t.is(await stateOf(page, 'room:7'), 'left');
  await db.query(`select djr.publish_topic('room:7', 'message', '{"n": 2}'), djr.publish_global('end')`);
  await waitForEvent(page, 'djr:end');
  t.deepEqual(await numbersOf(page, 'room:7'), [1]);
});

test('A seal callback that fails is asked again later, and its error is reported', async (t) => {
  const { db, app } = await begin(t, {});
  const page = await openPage(await newContext(t), app);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.evaluate(
    (seal) => {
      let calls = 0;
      const fails = () => {
        if (calls++ === 0) throw new Error('offline');
        return seal;
      };
      (window as unknown as RoomsPage).join('room:7', { seal: fails });
    },
    await sealOf(db, 'room:7'),
  );
  await until('it is joined', async () => (await stateOf(page, 'room:7')) === 'joined');
  t.deepEqual(errors, ['offline']);
});

test('disconnect ends the streams of all tabs; they come back when the login lets them, and say why they went', async (t) => {
  const { app } = await begin(t, { authorizeTopic: (user) => user === 'u' });
  const context = await newContext(t);
  await logIn(context, app, 'u');
  const pages = [await openPage(context, app), await openPage(context, app)];
  await until('they share a stream', () => app.open === 1);
  await join(pages[1]!, 'room:7');
  await until('it is joined', async () => (await stateOf(pages[1]!, 'room:7')) === 'joined');
  await context.clearCookies();
  await app.realtime.disconnect('u', 'logged out elsewhere');
  for (const page of pages) {
    await waitForEvent(page, 'djr:reset');
    t.deepEqual(await detailsOf(page, 'djr:reset'), [{ type: 'reset', reason: 'user' }]);
  }
  const told = await Promise.all(pages.map((page) => detailsOf(page, 'djr:disconnected')));
  t.true(told.flat().some((detail) => (detail as { reason?: string }).reason === 'logged out elsewhere'));
  await waitForEvent(pages[1]!, 'djr:refused');
  t.is(await stateOf(pages[1]!, 'room:7'), 'left');
});

test('A login that ends makes the page come back with a new one, and it misses nothing', async (t) => {
  let logins = 0;
  const { db, app } = await begin(t, {
    authenticate: () => ({ userId: 'u', expires: ++logins === 1 ? Date.now() + 1500 : undefined }),
  });
  const page = await openPage(await newContext(t), app);
  await waitForEvent(page, 'djr:disconnected');
  t.deepEqual(await detailsOf(page, 'djr:disconnected'), [{ type: 'disconnected', reason: 'the login has expired' }]);
  await db.query(`select djr.publish('u', 'end')`);
  await waitForEvent(page, 'djr:end');
  const states = (await detailsOf(page, 'djr:state')) as { state: string; reason?: string }[];
  t.is(states.find(({ state }) => state === 'waiting')!.reason, 'the login has expired');
});
