import test from 'ava';
import { createAwaited } from '../../../src/browser/awaited.js';
import { createConnection } from '../../../src/browser/connection.js';
import { asked, ENDPOINT, names, openConnection } from './simulated-connection.js';
import { LOADED, settle, simulatePage } from './simulated-page.js';

test.serial('A page is connected when the server says so, and gets each event once, by its number', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection();
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

test.serial('A page that reads on from its state is told a reset when the server thrice does not resume', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection({ since: '5:5:' });
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
  await openConnection({ lastEventId: '3-x' });
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
  await openConnection();
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
      const { connection } = await openConnection({ since: '5:5:' });
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
  await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  const words = ['connected', 'reset', 'state', 'djr:x', 'presence'];
  for (const [n, type] of words.entries()) page.source.frame({ type }, `${n + 1}-b`);
  t.deepEqual(names(page), ['djr:connected']);
  page.source.frame({ type: 'resets' }, '8-b');
  t.deepEqual(names(page), ['djr:connected', 'djr:resets']);
});

test.serial('A frame that is no JSON is an error of the page and moves the stream on', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame('{broken', '7-b');
  t.is(page.errors.length, 1);
  t.true(page.errors[0] instanceof SyntaxError);
  t.is(connection.lastId, '7-b');
  page.source.frame({ type: 'news' }, '8-c');
  t.is(page.fired.at(-1)![0], 'djr:news');
});

test.serial('A page that becomes another user’s is told a reset; the rest of the key may change', async (t) => {
  const page = simulatePage(t);
  await openConnection();
  const again = async (key: string) => {
    page.source.frame({ type: 'connected', key, resuming: page.sources.length > 1 }, '0-a');
    page.source.fail();
    await page.pass(1000);
  };
  await again('ada.1');
  await again('ada.2');
  t.false(names(page).includes('djr:reset'));
  await again('abe.1');
  t.deepEqual(
    page.fired.filter(([name]) => name === 'djr:reset'),
    [['djr:reset', { type: 'reset', reason: 'user' }]],
  );
});

test.serial('A row is named beside its event, and the event tells its number and its time', async (t) => {
  const page = simulatePage(t);
  await openConnection();
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
  const { connection } = await openConnection();
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

test.serial('Of topics a page shows those that its address names, again where it is joined', async (t) => {
  const page = simulatePage(t);
  const awaited = createAwaited();
  createConnection(`${ENDPOINT}?topic=room:7`, 'x', { shareTabs: false }, awaited);
  await settle();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'said', ':topic': 'room:7' }, '7-a');
  page.source.frame({ type: 'said', ':topic': 'room:8' }, '8-a');
  page.source.frame({ type: 'said', ':topic': 'room:7' }, '7-b');
  page.source.frame({ type: 'left', topic: 'room:8' });
  t.deepEqual(names(page), ['djr:connected', 'djr:said']);
  t.deepEqual(page.errors, []);
});

test.serial('A word that the client does not know is fired as it is', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection();
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'notice', text: 'x' });
  t.deepEqual(page.fired.at(-1), ['djr:notice', { type: 'notice', text: 'x' }]);
  t.is(connection.source.endpoint, ENDPOINT);
});

/** A page that was told of a reset a moment ago, so that it is told of none at the beginning of a stream. */
async function told(t: Parameters<typeof simulatePage>[0], options = {}) {
  const page = simulatePage(t);
  const said: string[] = [];
  const log = console.error;
  console.error = (text: string) => said.push(text);
  t.teardown(() => {
    console.error = log;
  });
  const last = { told: 5, at: LOADED, page: '/page?a=1' };
  page.session.set(`djr reset ${ENDPOINT}`, JSON.stringify(last));
  await openConnection(options);
  page.source.frame({ type: 'connected' }, '0-a');
  const reset = () => {
    page.source.frame({ type: 'reset', reason: 'pruned' }, '0-z');
    return names(page).includes('djr:reset');
  };
  return { page, said, reset };
}

test.serial('A reset is told later in a stream, whatever came before', async (t) => {
  const { page, reset } = await told(t);
  page.source.frame({ type: 'news' }, '7-b');
  page.source.fail();
  await page.pass(1000);
  page.source.frame({ type: 'connected', resuming: true }, '0-c');
  t.true(reset());
});

test.serial('A reset is told behind a heartbeat, as the stream has gone on since its beginning', async (t) => {
  const { page, reset } = await told(t);
  page.source.frame({ type: 'heartbeat' }, '0-b');
  t.true(reset());
});

test.serial(
  'A reset at the place where the app lets the stream begin is one of the beginning, and says why',
  async (t) => {
    const { said, reset } = await told(t, { lastEventId: '3-x' });
    t.false(reset());
    t.regex(said[0]!, /begins with a reset again \(pruned\)/);
  },
);

test.serial('Until it is known whether the server resumes, nothing but the reset is taken', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection({ since: '5:5:' });
  page.source.frame({ type: 'connected' }, '0-a');
  page.source.frame({ type: 'heartbeat' }, '0-b');
  t.is(connection.told.state.state, 'waiting');
  t.is(connection.lastId, '');
});

test.serial('The end of a resume is no answer that lacks one', async (t) => {
  const page = simulatePage(t);
  const { connection } = await openConnection({ since: '5:5:' });
  page.source.frame({ type: 'connected', resuming: true }, '0-a');
  page.source.frame({ type: 'connected' }, '0-b');
  page.source.frame({ type: 'news' }, '7-c');
  t.is(connection.told.state.state, 'open');
  t.is(page.sources.length, 1);
  t.is(names(page).at(-1), 'djr:news');
});
