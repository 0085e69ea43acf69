import test from 'ava';
import { createAwaited } from '../../../src/browser/awaited.js';
import { createTold } from '../../../src/browser/told.js';
import type { ConnectOptions } from '../../../src/browser/types.js';
import { LOADED, simulatePage } from './simulated-page.js';

/** What a page is told, with a listener for each callback; `calls` has them in order, among what is fired at the window. */
function start(t: Parameters<typeof simulatePage>[0], more: ConnectOptions = {}) {
  const page = simulatePage(t);
  const told = createTold();
  const calls: unknown[][] = [];
  for (const name of ['news', 'state', 'reset', 'connected', 'disconnected'])
    addEventListener(`djr:${name}`, () => calls.push([`djr:${name}`]));
  told.listeners.add({
    onMessage: (message) => calls.push(['onMessage', message.type]),
    onReset: (reason) => calls.push(['onReset', reason]),
    onConnect: () => calls.push(['onConnect']),
    onDisconnect: () => calls.push(['onDisconnect']),
    onError: (error) => calls.push(['onError', error.type]),
    ...more,
  });
  return { page, told, calls };
}

test.serial('An event is fired at the window, then for its row, and then given to onMessage', (t) => {
  const { page, told, calls } = start(t);
  addEventListener('djr:news:7', () => calls.push(['djr:news:7']));
  const event = told.deliver({ type: 'news', ':id': 7 }, `9-a..${LOADED.toString(36)}`);
  t.deepEqual(calls, [['djr:news'], ['djr:news:7'], ['onMessage', 'news']]);
  t.is(event.id, 9);
  t.deepEqual(event.createdAt, new Date(LOADED));
  t.false('id' in told.deliver({ type: 'news' }), 'what the client says itself has no number');
  told.deliver({ n: 1 });
  t.is(page.fired.at(-1)![0], 'djr:message');
});

test.serial(
  'A page is told once that it is connected, and once that it no longer is; of each error it is told',
  (t) => {
    const { told, calls } = start(t);
    t.deepEqual([told.up, told.state], [false, { state: 'connecting' }]);
    told.failed(new Event('error'));
    t.deepEqual(calls.splice(0), [['onError', 'error']]);
    told.become({ state: 'open' });
    told.become({ state: 'open' });
    t.true(told.up);
    t.deepEqual(calls.splice(0), [['djr:state'], ['djr:connected'], ['onMessage', 'connected'], ['onConnect']]);
    told.become({ state: 'waiting', at: 5 });
    told.failed(new Event('error'));
    told.failed(new Event('error'));
    t.false(told.up);
    t.deepEqual(calls.splice(0), [
      ['djr:state'],
      ['djr:disconnected'],
      ['onDisconnect'],
      ['onError', 'error'],
      ['onError', 'error'],
    ]);
  },
);

test.serial('The state is fired with all that belongs to it, and the end of a stream with its reason', (t) => {
  const { page, told } = start(t);
  const states: unknown[] = [];
  addEventListener('djr:state', (event) => states.push((event as CustomEvent).detail));
  told.become({ state: 'open' });
  told.failed(new Event('error'));
  told.become({ state: 'waiting', at: 5, reason: 'logged out' });
  told.become({ state: 'open' });
  told.become({ state: 'waiting', at: 6, reason: 'logged out' });
  told.failed(new Event('error'));
  t.deepEqual(states, [
    { type: 'state', state: 'open' },
    { type: 'state', state: 'waiting', at: 5, reason: 'logged out' },
    { type: 'state', state: 'open' },
    { type: 'state', state: 'waiting', at: 6, reason: 'logged out' },
  ]);
  t.deepEqual(
    page.fired.filter(([name]) => name === 'djr:disconnected').map(([, detail]) => detail),
    [{ type: 'disconnected' }, { type: 'disconnected', reason: 'logged out' }],
  );
});

test.serial('A page that was asleep is told again that it is connected', (t) => {
  const { told, calls } = start(t);
  told.become({ state: 'open' });
  told.sleep();
  told.failed(new Event('error'));
  told.become({ state: 'open' });
  t.deepEqual(
    calls.filter(([name]) => name !== 'djr:state' && name !== 'onMessage').map(([name]) => name),
    ['djr:connected', 'onConnect', 'onError', 'djr:connected', 'onConnect'],
  );
});

test.serial('A reset is an event of its own with its reason', (t) => {
  const { told, calls } = start(t);
  told.reset({ type: 'reset', reason: 'pruned' });
  t.deepEqual(calls, [['djr:reset'], ['onMessage', 'reset'], ['onReset', 'pruned']]);
});

test.serial(
  'What a callback throws is reported, and keeps nothing from the others; who comes late is not told',
  (t) => {
    const error = new Error('broken');
    const { page, told, calls } = start(t, {
      onConnect() {
        told.listeners.add({ onConnect: () => calls.push(['late']) });
        throw error;
      },
    });
    told.listeners.add({ onConnect: () => calls.push(['second']) });
    told.listeners.add({});
    told.become({ state: 'open' });
    t.deepEqual(page.errors, [error]);
    t.deepEqual(calls.at(-1), ['second']);
    told.reset({ type: 'reset' });
    told.failed(new Event('error'));
    t.deepEqual(page.errors, [error], 'a page need not have all callbacks');
  },
);

test.serial('A page that wants to debug has each event on its console, and no other page', (t) => {
  const logged: unknown[][] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => logged.push(values);
  t.teardown(() => {
    console.log = log;
  });
  const { told } = start(t);
  told.deliver({ type: 'news', n: 1 });
  t.deepEqual(logged, []);
  told.listeners.add({ debug: true });
  told.deliver({ type: 'news', n: 2 });
  t.deepEqual(logged, [['djr', 'news', { type: 'news', n: 2 }]]);
});

test('Whoever waits for an event may wait without end, and has it when it is fired', async (t) => {
  const awaited = createAwaited();
  const one = awaited.seen(1, { timeout: Number.POSITIVE_INFINITY });
  const two = awaited.seen('2', { timeout: 20 });
  await t.throwsAsync(two, { message: /event 2 has not come to this page \(timeout\)/ });
  awaited.fired(1);
  await t.notThrowsAsync(one);
});

test('What the page knows already nobody waits for, not even after the end', async (t) => {
  const awaited = createAwaited();
  awaited.known = (event) => event === 7;
  awaited.end('reset');
  const nine = awaited.seen(9);
  awaited.fired(9);
  await t.notThrowsAsync(nine, 'after a reset others may come');
  awaited.end('closed');
  await t.notThrowsAsync(awaited.seen(7));
  await t.throwsAsync(awaited.seen(8), { message: /closed/ });
});

test.serial('By default a call of seen waits for ten seconds', async (t) => {
  const page = simulatePage(t);
  let failed = false;
  const waiting = createAwaited()
    .seen(7)
    .catch(() => {
      failed = true;
    });
  await page.pass(9900);
  t.false(failed);
  await page.pass(100);
  await waiting;
  t.true(failed);
});
