import test from 'ava';
import { detailsOf, until, useChromium, waitForEvent } from './helpers/chromium.js';
import { scriptTag, startStreamServer } from './helpers/stream-server.js';
import { open } from './helpers/tabs.js';
import { begin, join, openPage, type RoomsPage } from './helpers/topics.js';

const newContext = useChromium();

/** In a page: the outcome of `djr.seen`, as it is logged. */
interface Waiting {
  log: [string, unknown][];
  wait(id: unknown, options?: object): void;
}

/** Logs `seen` with the id, or `unseen` with the reason. */
const waiting = `<script>
  window.log ??= [];
  window.wait = (id, options) => djr.seen(id, options).then(
    () => log.push(['seen', String(id)]),
    (error) => log.push(['unseen', error.reason ?? String(error)]),
  );
</script>`;

const BIG = 9_007_199_254_740_991n;

test('seen() resolves when the event has been fired, at once when it was before, for a number, a bigint and a text', async (t) => {
  const server = await startStreamServer(t);
  const page = await open(await newContext(t), server.page(loggingHead()));
  await page.evaluate((big) => {
    const { log, wait } = window as unknown as Waiting;
    addEventListener('djr:chat', ({ detail }) => log.push(['fired', detail.n]));
    wait(7);
    wait(BigInt(big));
  }, `${BIG}`);
  server.send({ type: 'chat', n: 7 }, '7-a');
  server.send({ type: 'chat', n: 8 }, `${BIG}-a`);
  await waitForEvent(page, 'seen', 2);
  await page.evaluate(() => void (window as unknown as Waiting).wait('7'));
  await waitForEvent(page, 'seen', 3);
  const log = (await page.evaluate(() => (window as unknown as Waiting).log)).filter(
    ([name]) => !name.startsWith('djr:'),
  );
  t.deepEqual(log, [
    ['fired', 7],
    ['seen', '7'],
    ['fired', 8],
    ['seen', `${BIG}`],
    ['seen', '7'],
  ]);
});

function loggingHead() {
  return `<script>
    window.log = [];
    for (const name of ['djr:connected', 'djr:reset', 'djr:chat']) addEventListener(name, (event) => log.push([name, event.detail]));
  </script>${waiting}${scriptTag()}`;
}

test('seen() rejects with the reason: after its time, at a reset, and when the connection is closed', async (t) => {
  const server = await startStreamServer(t);
  const page = await open(await newContext(t), server.page(loggingHead()));
  const wait = (id: unknown, options?: object) =>
    page.evaluate(([value, given]) => void (window as unknown as Waiting).wait(value, given), [id, options] as const);
  await wait(1, { timeout: 1 });
  await waitForEvent(page, 'unseen');
  await wait(2);
  server.send({ type: 'reset', reason: 'too old' }, '0-b');
  await waitForEvent(page, 'unseen', 2);
  await wait(3);
  const connection = await page.evaluateHandle(() => window.djangoRealtimeConnection!);
  await connection.evaluate((one) => one.close());
  await waitForEvent(page, 'unseen', 3);
  t.is(await connection.evaluate((one) => one.seen(4).catch((error) => error.reason)), 'closed');
  t.deepEqual(await detailsOf(page, 'unseen'), ['timeout', 'reset', 'closed']);
});

test('seen() wants the id of an event', async (t) => {
  const server = await startStreamServer(t);
  const page = await open(await newContext(t), server.page(loggingHead()));
  for (const id of ['', 'x', '1.5', '-1', 0, null, undefined, '9007199254740993']) {
    await page.evaluate((value) => void (window as unknown as Waiting).wait(value), id);
  }
  await waitForEvent(page, 'unseen', 8);
  t.is(
    (await detailsOf(page, 'unseen'))[1],
    'TypeError: djr.seen must be given the id that djr.publish returned (it is x)',
  );
});

test('What is awaited before there is a connection is awaited on the first one', async (t) => {
  const server = await startStreamServer(t);
  const page = await (await newContext(t)).newPage();
  await page.goto(server.page(`${waiting}${scriptTag('data-auto-connect="false"')}`));
  await page.evaluate(() => {
    (window as unknown as Waiting).wait(7);
    window.djr.connect();
  });
  await server.connected(1);
  server.send({ type: 'chat' }, '7-a');
  await waitForEvent(page, 'seen');
  t.pass();
});

test("A page waits for its own write: the event of the transaction's own id, in a tab that follows and in a room", async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const context = await newContext(t);
  const leader = await openPage(context, app);
  const page = await openPage(context, app);
  await until('they share a stream', () => app.open === 1);
  await join(page, 'room:7');
  const seen = (id: string) => page.evaluate((value) => window.djr.seen(value), id);
  const [own] = await db.query<{ id: string }>(`select djr.publish_global('chat', '{"n": 1}') as id`);
  await seen(own!.id);
  const [room] = await db.query<{ id: string }>(`select djr.publish_topic('room:7', 'chat', '{"n": 2}') as id`);
  await seen(room!.id);
  // The leading tab's stream carries the room's events too, but that page has not fired it.
  const reason = await leader.evaluate(
    (value) =>
      window.djr.seen(value, { timeout: 1 }).then(
        () => 'seen',
        (error) => error.reason,
      ),
    room!.id,
  );
  t.is(reason, 'timeout');
});

test('The DOM event, subscribe, onMessage and a room give id and createdAt beside the detail, which is what was published', async (t) => {
  const { db, app } = await begin(t, { authorizeTopic: () => true });
  const page = await openPage(await newContext(t), app);
  await page.evaluate(() => {
    const { log } = window as unknown as RoomsPage;
    const push =
      (name: string) =>
      ({ id, createdAt, detail }: { id?: number; createdAt?: Date; detail: object }) =>
        log.push([name, [id, createdAt?.getTime(), detail]]);
    addEventListener('djr:chat', push('window'));
    addEventListener('djr:chat:5', push('row'));
    window.djr.subscribe('chat', (_, event) => push('subscribe')(event));
    window.djr.connect({ onMessage: ({ type }, event) => type === 'chat' && push('onMessage')(event) });
    window.djr.join('room:7').on('chat', (_, event) => push('room')(event));
  });
  await until('the room is joined', () => app.topics.length === 1 && app.open === 1);
  await db.query(`select djr.publish_topic('room:7', 'chat', '{":id": 5}')`);
  const [row] = await db.query<{ id: string; at: string }>(
    'select id, floor(extract(epoch from created_at) * 1000)::bigint as at from djr.event',
  );
  await waitForEvent(page, 'room');
  const expected = [Number(row!.id), Number(row!.at), { ':id': 5, ':topic': 'room:7', type: 'chat' }];
  for (const name of ['window', 'row', 'subscribe', 'onMessage', 'room']) {
    t.deepEqual(await detailsOf(page, name), [expected], name);
  }
});
