import test from 'ava';
import { mayTell } from '../../../src/browser/reset.js';
import { simulatePage } from './simulated-page.js';

function start(t: Parameters<typeof simulatePage>[0]) {
  const log = console.error;
  console.error = () => {};
  t.teardown(() => {
    console.error = log;
  });
  return simulatePage(t);
}

const HOUR = 3_600_000;

test.serial('A reset is told once, and again after 20 s, 40 s, 80 s, up to an hour', async (t) => {
  const page = start(t);
  t.true(mayTell('/sse', 'off'));
  for (const wait of [20_000, 40_000, 80_000]) {
    await page.pass(wait - 100);
    t.false(mayTell('/sse', 'off'), `${wait}`);
    await page.pass(100);
    t.true(mayTell('/sse', 'off'), `${wait}`);
  }
});

test.serial('Another stream and another page have resets of their own', (t) => {
  start(t);
  t.true(mayTell('/sse', 'off'));
  t.true(mayTell('/other', 'off'));
  t.false(mayTell('/sse', 'off'));
  Object.assign(globalThis, { location: new URL('http://localhost/page?a=2') });
  t.true(mayTell('/sse', 'off'));
  Object.assign(globalThis, { location: new URL('http://localhost/elsewhere?a=2') });
  t.true(mayTell('/sse', 'off'));
});

test.serial('After more than an hour all begins anew', (t) => {
  const page = start(t);
  const told = (at: number, times: number) =>
    page.session.set('djr reset /sse', JSON.stringify({ told: times, at: Date.now() - at, page: '/page?a=1' }));
  told(HOUR - 1, 30);
  t.false(mayTell('/sse', 'off'), 'no wait is longer than an hour');
  told(HOUR, 30);
  t.true(mayTell('/sse', 'off'));
  t.is(JSON.parse(page.session.get('djr reset /sse')!).told, 31);
  told(HOUR + 1, 30);
  t.true(mayTell('/sse', 'off'));
  t.is(JSON.parse(page.session.get('djr reset /sse')!).told, 1);
});

test.serial('Without storage a load that is a reload counts as one that a reset has caused', (t) => {
  const page = start(t);
  const refuse = () => {
    throw new Error('storage is forbidden here');
  };
  Object.assign(globalThis, { sessionStorage: { getItem: refuse, setItem: refuse } });
  t.true(mayTell('/sse', 'off'));
  page.load = 'reload';
  t.false(mayTell('/sse', 'off'));
});
