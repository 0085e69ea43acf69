import test from 'ava';
import { Frontier } from '../../src/event/frontier.js';
import { shortSnapshot } from '../../src/event/short-snapshot.js';
import { scriptTag } from '../../src/http/script-tag.js';

const sinceOf = (tag: string): string => /data-since="([^"]*)"/.exec(tag)![1]!;

test('A position with thousands of open transactions is shortened for the URL, and claims less', (t) => {
  const open = Array.from({ length: 3000 }, (_, i) => 5_000_000 + i * 3);
  const whole = new Frontier('e', 1, open[0]!, 6_000_000, open);
  const since = sinceOf(scriptTag('/realtime', { since: whole.snapshot }));
  t.true(since.length <= 5000, `${since.length}`);
  const read = Frontier.fromSnapshot(since, 'e', 1)!;
  t.true(read.inProgress.length > 400);
  t.true(whole.contains(read));
  for (const xid of open) t.true(read.isNew(xid));
  t.false(read.isNew(5_000_001), 'what ended before the last that fits is known');
});

test('A position that a URL has room for stays as it is, and so does what is none', (t) => {
  for (const since of ['1:1:', '5:9:5,7', 'x'.repeat(6000)]) t.is(sinceOf(scriptTag('/realtime', { since })), since);
});

test('Only a position of more than 5,000 characters is shortened, and then as many transactions stay as there is room for', (t) => {
  const long = (last: string) => `1:9:${'1234567,'.repeat(624)}${last}`;
  t.is(long('1234').length, 5000);
  t.is(shortSnapshot(long('1234')), long('1234'));
  t.true(shortSnapshot(long('12345')).length < 5000);
  const xids = Array.from({ length: 600 }, (_, n) => `${100_000_000 + n}`);
  t.is(shortSnapshot(`1:900000000:${xids}`), `1:${xids[495]}:${xids.slice(0, 495)}`);
  for (const text of [`x${long('12345')}`, `${long('12345')}x`]) t.is(shortSnapshot(text), text, 'it is no position');
});
