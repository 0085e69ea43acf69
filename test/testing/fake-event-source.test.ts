import test from 'ava';
import { GlobalWindow } from 'happy-dom';
import { FakeEventSource } from '../../src/testing/index.js';
import { until } from '../helpers/server.js';

// One file, one process: the global EventSource is replaced.

test.serial("djr's client hears what a test emits, in a simulated page", async (t) => {
  const page = new GlobalWindow({ url: 'http://localhost/' });
  const names = ['document', 'Document', 'location', 'CustomEvent', 'Event', 'ErrorEvent', 'navigator'] as const;
  const functions = ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const;
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  for (const name of names) define(name, page[name]);
  for (const name of functions) define(name, page[name].bind(page));
  define('window', page);
  const uninstall = FakeEventSource.install();
  t.teardown(async () => {
    uninstall();
    await page.happyDOM.close();
  });

  const { default: djr } = await import('../../src/browser/module.js');
  const heard: unknown[] = [];
  const connected = new Promise<void>((resolve) => void djr.connect({ since: '1:1:', onConnect: resolve }));
  djr.subscribe('paid:7', (detail) => heard.push(detail));
  const room = djr.join('room:7');
  room.on('said', (detail) => heard.push(detail));
  await connected;
  await until('the room', () => room.state === 'joined');
  FakeEventSource.emit('paid', { ':id': 7 });
  FakeEventSource.emit('said', { text: 'hi' }, 'room:7');
  t.deepEqual(heard, [
    { ':id': 7, type: 'paid' },
    { text: 'hi', ':topic': 'room:7', type: 'said' },
  ]);
  djr.close();
  t.is(FakeEventSource.open.size, 0);
});

test.serial('it is an EventSource to whoever makes one', async (t) => {
  const uninstall = FakeEventSource.install();
  const source = new EventSource('/realtime/sse/?topic=a', { withCredentials: true }) as unknown as FakeEventSource;
  t.is(source.readyState, EventSource.CONNECTING);
  t.throws(() => source.emit('x'), { instanceOf: TypeError, message: /must be open \(it is connecting\)/ });
  const heard: string[] = [];
  const listener = ({ data, lastEventId }: { data: string; lastEventId: string }) =>
    heard.push(`${lastEventId} ${data}`);
  source.addEventListener('message', listener);
  await new Promise<void>((resolve) => {
    source.onopen = () => resolve();
  });
  t.deepEqual(heard, ['0-fake {"type":"connected","topics":["a"]}']);
  source.emit('paid', { total: '1' });
  t.regex(heard.at(-1)!, /^\d+-fake \{"total":"1","type":"paid"\}$/);
  source.removeEventListener('message', listener);
  let failed = false;
  source.onerror = () => {
    failed = true;
  };
  source.fail();
  t.true(failed);
  t.is(source.readyState, EventSource.CONNECTING);
  source.close();
  t.is(source.readyState, EventSource.CLOSED);
  t.throws(() => source.emit('x'), { message: /closed/ });
  uninstall();
  t.not((globalThis as { EventSource?: unknown }).EventSource, FakeEventSource);
});
