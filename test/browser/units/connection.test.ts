import test from 'ava';
import { createAwaited } from '../../../src/browser/awaited.js';
import { createConnection } from '../../../src/browser/connection.js';
import type { ConnectOptions } from '../../../src/browser/types.js';
import { LOADED, type SimulatedPage, settle, simulatePage } from './simulated-page.js';

const ENDPOINT = 'http://localhost/realtime/sse/';

/** A page whose tabs share nothing, so that it has a stream of its own. */
async function open(options: ConnectOptions = {}) {
  const awaited = createAwaited();
  const connection = createConnection(ENDPOINT, ENDPOINT, { shareTabs: false, ...options }, awaited);
  await settle();
  return { connection, awaited };
}

const names = (page: SimulatedPage) => page.fired.map(([name]) => name);
const asked = (page: SimulatedPage) => page.sources.map(({ url }) => url.searchParams.get('lastEventId'));

test.serial('A page is connected when the server says so, and gets each event once, by its number', async (t) => {
  const page = simulatePage(t);
  const { connection } = await open();
  t.is(connection.told.state.state, 'connecting');
  page.source.frame({ type: 'connected' }, '0-a');
  t.is(connection.told.state.state, 'open');
  page.source.frame({ type: 'news', n: 1 }, '7-b..1');
  page.source.frame({ type: 'news', n: 1 }, '7-c..1');
  page.source.frame({ type: 'news', n: 2 }, '8-d..1');
  t.deepEqual(page.fired, [
    ['djr:connected', { type: 'connected' }],
    ['djr:news', { type: 'news', n: 1 }],
    ['djr:news', { type: 'news', n: 2 }],
  ]);
  t.is(connection.lastId, '8-d..1');
});

test.serial(
  'A stream that is cut off is opened again from the last id, and what is repeated is not shown',
  async (t) => {
    const page = simulatePage(t);
    const { connection } = await open();
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
    await open();
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
  await open();
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
  await open();
  await page.pass(9900);
  t.is(page.sources.length, 1);
  await page.pass(1200);
  t.not(page.sources[0]!.readyState, 1);
  await page.pass(2000);
  t.is(page.sources.length, 2);
});

test.serial('A page that reads on from its state is told a reset when the server thrice does not resume', async (t) => {
  const page = simulatePage(t);
  const { connection } = await open({ since: '5:5:' });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    t.is(page.source.url.searchParams.get('since'), '5:5:');
    page.source.frame({ type: 'connected' }, '0-a');
    if (attempt === 2) break;
    t.not(connection.told.state.state, 'open');
    // The event would leave a gap before it.
    page.source.frame({ type: 'news' }, '7-b');
    await page.pass(3000);
  }
  t.is(connection.told.state.state, 'open');
  t.deepEqual(page.fired, [
    ['djr:connected', { type: 'connected' }],
    ['djr:reset', { type: 'reset', reason: 'the server did not resume the stream' }],
  ]);
  page.source.frame({ type: 'news' }, '7-b');
  t.is(page.fired.at(-1)![0], 'djr:news');
});

test.serial('Where the reason follows, an answer without the resume is taken with it', async (t) => {
  const page = simulatePage(t);
  await open({ lastEventId: '3-x' });
  t.deepEqual(asked(page), ['3-x']);
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'reset', reason: 'pruned' }, '0-b');
  t.is(page.sources.length, 1);
  t.deepEqual(page.fired, [
    ['djr:connected', { type: 'connected' }],
    ['djr:reset', { type: 'reset', reason: 'pruned' }],
  ]);
});

test.serial('After a reset the same numbers are other events', async (t) => {
  const page = simulatePage(t);
  await open();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'news' }, '7-b');
  page.source.frame({ type: 'reset', reason: 'restored' }, '0-c');
  page.source.frame({ type: 'news' }, '7-d');
  t.deepEqual(names(page), ['djr:connected', 'djr:news', 'djr:reset', 'djr:news']);
});

test.serial(
  'A reset that meets every load of a page is told once, so that the page does not reload for ever',
  async (t) => {
    const page = simulatePage(t);
    const log = console.error;
    console.error = () => {};
    t.teardown(() => {
      console.error = log;
    });
    const reload = async () => {
      const { connection } = await open({ since: '5:5:' });
      page.source.frame({ type: 'connected' }, '0-a');
      page.source.frame({ type: 'reset', reason: 'off' }, '0-b');
      connection.close(false);
      await settle();
      return names(page).filter((name) => name === 'djr:reset').length;
    };
    t.is(await reload(), 1);
    t.is(await reload(), 1);
    await page.pass(19_000);
    t.is(await reload(), 1);
    await page.pass(1100);
    t.is(await reload(), 2);
    await page.pass(39_000);
    t.is(await reload(), 2, 'the oftener, the longer');
    await page.pass(1100);
    t.is(await reload(), 3);
  },
);

test.serial('An event that has the type of a word of the client’s own is not shown', async (t) => {
  const page = simulatePage(t);
  await open();
  page.source.frame({ type: 'connected' }, '0-a');
  const words = ['connected', 'reset', 'state', 'djr:x', 'presence'];
  for (const [n, type] of words.entries()) page.source.frame({ type }, `${n + 1}-b`);
  t.deepEqual(names(page), ['djr:connected']);
  page.source.frame({ type: 'resets' }, '8-b');
  t.deepEqual(names(page), ['djr:connected', 'djr:resets']);
});

test.serial('A frame that is no JSON is an error of the page and moves the stream on', async (t) => {
  const page = simulatePage(t);
  const { connection } = await open();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame('{broken', '7-b');
  t.is(page.errors.length, 1);
  t.is(connection.lastId, '7-b');
  page.source.frame({ type: 'news' }, '8-c');
  t.is(page.fired.at(-1)![0], 'djr:news');
});

test.serial('A stream that the server ends says why, and is asked for again', async (t) => {
  const page = simulatePage(t);
  const { connection } = await open();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'disconnected', reason: 'logged out' });
  t.like(connection.told.state, { state: 'waiting', reason: 'logged out' });
  t.deepEqual(page.fired.at(-1), ['djr:disconnected', { type: 'disconnected', reason: 'logged out' }]);
  await page.pass(1000);
  t.deepEqual(asked(page), [null, '0-a']);
  page.source.frame({ type: 'connected', resuming: true }, '0-b');
  page.source.fail();
  t.is(connection.told.state.reason, undefined, 'that was another end');
});

test.serial('A page that becomes another user’s is told a reset; the rest of the key may change', async (t) => {
  const page = simulatePage(t);
  await open();
  const again = async (key: string) => {
    page.source.frame({ type: 'connected', key, resuming: page.sources.length > 1 }, '0-a');
    page.source.fail();
    await page.pass(1000);
  };
  await again('ada.1');
  await again('ada.2');
  t.false(names(page).includes('djr:reset'));
  await again('bob.1');
  t.deepEqual(
    page.fired.filter(([name]) => name === 'djr:reset'),
    [['djr:reset', { type: 'reset', reason: 'user' }]],
  );
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
  createConnection(ENDPOINT, 'y', { token: 'fixed' }, awaited);
  await settle();
  t.is(page.sources.at(-1)!.url.search, '?shareKey=1&heartbeat=1&token=fixed');
});

test.serial('A token that cannot be had is a failed attempt', async (t) => {
  const page = simulatePage(t);
  const errors: Event[] = [];
  const { connection } = await open({
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
  await open();
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
  await open();
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
  const { connection } = await open();
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

test.serial('A row is named beside its event, and the event tells its number and its time', async (t) => {
  const page = simulatePage(t);
  await open();
  const events: { id?: number; createdAt?: Date }[] = [];
  addEventListener('djr:order:7', (event) => events.push(event as never));
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'order', ':id': 7, ':old_id': 6 }, `9-a..${LOADED.toString(36)}`);
  t.deepEqual(names(page), ['djr:connected', 'djr:order', 'djr:order:7', 'djr:order:6']);
  t.is(events[0]!.id, 9);
  t.deepEqual(events[0]!.createdAt, new Date(LOADED));
});

test.serial('Whoever waits for an event has it when it was fired, is told a reset, or waits in vain', async (t) => {
  const page = simulatePage(t);
  const { connection } = await open();
  page.source.frame({ type: 'connected' }, '0-a');
  const reason = (waiting: Promise<void>) =>
    waiting.then(
      () => 'seen',
      (error: Error & { reason?: string }) => error.reason ?? error.message,
    );
  const [seven, eight, nine] = [7, 8n, '9'].map((id) => reason(connection.seen(id, { timeout: 5000 })));
  page.source.frame({ type: 'news' }, '7-b');
  t.is(await seven, 'seen');
  t.is(await reason(connection.seen(7)), 'seen', 'it was fired before');
  await page.pass(5000);
  t.is(await eight, 'timeout');
  t.is(await nine, 'timeout');
  const ten = reason(connection.seen(10));
  page.source.frame({ type: 'reset', reason: 'x' }, '0-c');
  t.is(await ten, 'reset');
  const eleven = reason(connection.seen(11));
  connection.close(true);
  t.is(await eleven, 'closed');
  t.is(await reason(connection.seen(12)), 'closed');
  for (const id of ['', 'x', -1, 0, 1.5, '1e3', 2 ** 53])
    t.regex(await reason(connection.seen(id)), /must be given the id/);
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
    const { connection } = await open({ withCredentials: true });
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

test.serial('Of topics a page shows those that its address names, again where it is joined', async (t) => {
  const page = simulatePage(t);
  const awaited = createAwaited();
  createConnection(`${ENDPOINT}?topic=room:7`, 'x', { shareTabs: false }, awaited);
  await settle();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'said', ':topic': 'room:7' }, '7-a');
  page.source.frame({ type: 'said', ':topic': 'room:8' }, '8-a');
  t.deepEqual(names(page), ['djr:connected', 'djr:said']);
});
