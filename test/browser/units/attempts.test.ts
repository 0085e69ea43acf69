import test from 'ava';
import { createAwaited } from '../../../src/browser/awaited.js';
import { createConnection } from '../../../src/browser/connection.js';
import { asked, ENDPOINT, names, openConnection } from './simulated-connection.js';
import { settle, simulatePage } from './simulated-page.js';

test.serial(
  'A stream that is cut off is opened again from the last id, and what is repeated is not shown',
  async (t) => {
    const page = simulatePage(t);
    const { connection } = await openConnection();
    page.source.frame({ type: 'connected' }, '0-a');
    page.source.frame({ type: 'news' }, '7-b');
    page.source.fail();
    t.is(connection.told.state.state, 'waiting');
    t.deepEqual(names(page), ['djr:connected', 'djr:news', 'djr:disconnected']);
    await page.pass(1000);
    t.deepEqual(asked(page), [null, '7-b']);
    page.source.frame({ type: 'connected', resuming: true }, '0-c');
    page.source.frame({ type: 'news' }, '7-b');
    page.source.frame({ type: 'news' }, '9-d');
    t.deepEqual(names(page).slice(3), ['djr:connected', 'djr:news']);
    t.deepEqual(page.states, ['connecting', 'open', 'waiting', 'connecting', 'open']);
  },
);

test.serial(
  'Attempts come ever more rarely, within half a minute, and at once when the page is looked at',
  async (t) => {
    const page = simulatePage(t);
    await openConnection();
    for (let attempt = 0; attempt < 8; attempt += 1) {
      page.source.fail();
      let waited = 0;
      for (; page.sources.length < attempt + 2 && waited < 40_000; waited += 100) await page.pass(100);
      t.true(waited <= Math.min(30_000, 1000 * 2 ** attempt) + 100, `${waited}`);
    }
    page.source.fail();
    t.is(page.sources.length, 9);
    page.happen('pageshow');
    await settle();
    t.is(page.sources.length, 10);
  },
);

test.serial('What the server says of its pace is kept: the first wait, and how long silence may be', async (t) => {
  const page = simulatePage(t);
  await openConnection();
  page.source.frame({ type: 'connected', heartbeat: 4000, retry: 100 }, '0-a');
  await page.pass(9900);
  t.is(page.sources.length, 1);
  await page.pass(1200);
  t.is(page.sources.length, 2, 'after two and a half intervals without a frame');
  page.source.frame({ type: 'connected', resuming: true }, '0-b');
  for (let n = 0; n < 5; n += 1) {
    await page.pass(4000);
    page.source.frame({ type: 'heartbeat' }, `0-c${n}`);
  }
  t.is(page.sources.length, 2, 'heartbeats keep it');
  page.source.fail();
  await page.pass(100);
  t.is(page.sources.length, 3);
  t.is(asked(page).at(-1), '0-c4');
});

test.serial('An answer that never comes is given up after ten seconds', async (t) => {
  const page = simulatePage(t);
  await openConnection();
  await page.pass(9900);
  t.is(page.sources.length, 1);
  await page.pass(1200);
  t.not(page.sources[0]!.readyState, 1);
  await page.pass(2000);
  t.is(page.sources.length, 2);
});

test.serial('A stream that the server ends says why, and is asked for again', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection();
  const states: object[] = [];
  addEventListener('djr:state', (event) => {
    const { at, ...state } = (event as CustomEvent).detail;
    states.push(state);
  });
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'disconnected', reason: 'logged out' });
  t.like(connection.told.state, { state: 'waiting', reason: 'logged out' });
  t.deepEqual(page.fired.at(-1), ['djr:disconnected', { type: 'disconnected', reason: 'logged out' }]);
  await page.pass(1000);
  t.deepEqual(asked(page), [null, '0-a']);
  page.source.frame({ type: 'connected', resuming: true }, '0-b');
  page.source.fail();
  t.is(connection.told.state.reason, undefined, 'that was another end');
  t.deepEqual(states, [
    { type: 'state', state: 'open' },
    { type: 'state', state: 'waiting', reason: 'logged out' },
    { type: 'state', state: 'connecting' },
    { type: 'state', state: 'open' },
    { type: 'state', state: 'waiting' },
  ]);
  await page.pass(1000);
  page.source.frame({ type: 'connected', resuming: true }, '0-c');
  page.source.frame({ type: 'disconnected' });
  t.is(connection.told.state.reason, 'disconnected');
});

test.serial('The address has what the page asks for: its token, its place, and heartbeats that it sees', async (t) => {
  const page = simulatePage(t);
  const awaited = createAwaited();
  let n = 0;
  const token = async () => {
    n += 1;
    return `t${n}`;
  };
  createConnection(`${ENDPOINT}?named=1&types=a`, 'x', { shareTabs: false, token, since: '5:5:' }, awaited);
  await settle();
  t.is(page.source.url.search, '?types=a&heartbeat=1&token=t1&since=5%3A5%3A');
  page.source.frame({ type: 'connected', resuming: true }, '1-a');
  page.source.fail();
  await page.pass(1000);
  t.is(page.source.url.search, '?types=a&heartbeat=1&token=t2&lastEventId=1-a', 'a new token for each attempt');
  createConnection(ENDPOINT, 'z', { shareTabs: false }, awaited);
  await settle();
  t.is(page.sources.at(-1)!.url.search, '?heartbeat=1');
  createConnection(ENDPOINT, 'y', { token: 'fixed' }, awaited);
  await settle();
  t.is(page.sources.at(-1)!.url.search, '?shareKey=1&heartbeat=1&token=fixed');
});

test.serial('A token that cannot be had is a failed attempt', async (t) => {
  const page = simulatePage(t);
  const errors: Event[] = [];
  const { connection } = await openConnection({
    token: () => Promise.reject(new Error('no session')),
  });
  connection.told.listeners.add({ onError: (error) => errors.push(error) });
  t.is(connection.told.state.state, 'waiting');
  await page.pass(3000);
  t.true(errors.length > 0);
  t.is(page.sources.length, 0);
});

test.serial('A page that is put away has no stream, and goes on from its place when it is shown again', async (t) => {
  const page = simulatePage(t);
  await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'news' }, '7-b');
  for (const name of ['pagehide', 'freeze']) {
    page.happen(name);
    t.true(page.sources.every(({ readyState }) => readyState === 2));
    page.happen('pageshow');
    await settle();
    t.is(page.source.url.searchParams.get('lastEventId'), '7-b');
    page.source.frame({ type: 'connected', resuming: true });
  }
  t.deepEqual(names(page), ['djr:connected', 'djr:news', 'djr:connected', 'djr:connected']);
});

test.serial('A network that changes is a reason to begin anew after a second of silence', async (t) => {
  const page = simulatePage(t);
  await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  await page.pass(900);
  page.happen('online');
  await settle();
  t.is(page.sources.length, 1);
  await page.pass(200);
  page.happen('online');
  await settle();
  t.is(page.sources.length, 2);
});

test.serial('A page that closes its connection hears nothing more, and no attempt follows', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  const { source } = page;
  connection.close(true);
  t.is(source.readyState, 2);
  t.is(connection.told.state.state, 'closed');
  page.happen('pageshow');
  page.happen('online');
  await page.pass(60_000);
  t.is(page.sources.length, 1);
});

test.serial(
  'A server that refuses a stream is asked why, ever more rarely, and the page is told the status',
  async (t) => {
    const page = simulatePage(t);
    const asked: [url: string, init: RequestInit][] = [];
    let status = 503;
    const { fetch } = globalThis;
    Object.assign(globalThis, {
      fetch: async (url: string, init: RequestInit) => {
        asked.push([url, init]);
        if (status === 0) throw new TypeError('there is nobody');
        return new Response(null, { status });
      },
    });
    t.teardown(() => Object.assign(globalThis, { fetch }));
    const { connection } = await openConnection({ withCredentials: true });
    const refuse = async () => {
      page.source.fail(true);
      await settle();
      const said = connection.told.state;
      page.happen('pageshow');
      await settle();
      return said;
    };
    const { url } = page.source;
    t.like(await refuse(), { state: 'refused', status: 503 });
    t.is(asked[0]![0], `${url.href}&probe=1`);
    t.like(asked[0]![1], { credentials: 'include', cache: 'no-store', headers: { Accept: 'text/event-stream' } });
    status = 299;
    t.is((await refuse()).state, 'waiting', 'it would be let in now');
    t.is((await refuse()).state, 'waiting');
    t.is(asked.length, 2, 'it is not asked at the third');
    status = 300;
    t.like(await refuse(), { state: 'refused', status: 300 });
    for (let n = 0; n < 3; n += 1) await refuse();
    t.is(asked.length, 3);
    status = 0;
    t.is((await refuse()).state, 'waiting');
    t.is(asked.length, 4);
    page.source.fail();
    await settle();
    t.is(asked.length, 4, 'a stream that was cut off was not refused');
  },
);
