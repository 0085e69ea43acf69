import test from 'ava';
import { packXids, unpackXids } from '../../src/event/xid-list.js';

test('Transaction ids come back from the text that was made of them, however far apart they are', (t) => {
  for (const xids of [
    [],
    [0],
    [5],
    [5, 6, 7],
    [2 ** 52],
    [0, 2 ** 20, 2 ** 40, 2 ** 52],
    [0, Number.MAX_SAFE_INTEGER],
    [2 ** 31, 2 ** 32, 2 ** 33],
    Array.from({ length: 500 }, (_, i) => i * i * 1000),
  ]) {
    const { count, text } = packXids(xids, 0, 10_000);
    t.is(count, xids.length);
    t.deepEqual(unpackXids(text, 0), xids);
  }
});

test('No order of the code would make the text shorter', (t) => {
  const bitsOf = (value: number, order: number) =>
    2 * (Math.floor(value / 2 ** order) + 1).toString(2).length - 1 + order;
  for (const xids of [
    Array.from({ length: 600 }, (_, i) => i),
    Array.from({ length: 600 }, (_, i) => i * 300),
    Array.from({ length: 600 }, (_, i) => i * 2),
    [0, 1, 2, 3, 2 ** 40],
    [2 ** 33, 2 ** 34, 2 ** 35],
    [7],
    [6, 7],
  ]) {
    const values = xids.map((xid, i) => (i === 0 ? xid : xid - xids[i - 1]! - 1));
    const bits = Array.from({ length: 41 }, (_, order) => values.reduce((sum, value) => sum + bitsOf(value, order), 0));
    t.is(packXids(xids, 0, 10_000).text.length, 1 + Math.ceil(Math.min(...bits) / 6));
  }
});

test('Of ids that do not fit the first are kept, as many as the text has room for', (t) => {
  const xids = Array.from({ length: 600 }, (_, i) => i);
  const { count, text } = packXids(xids, 0, 51);
  t.is(count, 300);
  t.is(text.length, 51);
  t.deepEqual(unpackXids(text, 0), xids.slice(0, 300));
});

test('A text that was not made of transaction ids brings none', (t) => {
  for (const text of ['', 'A!', '_AAA', 'pA', 'AAA', `A${'A'.repeat(9)}`, 'oAAAAAAAB__', 'A AB'])
    t.is(unpackXids(text, 0), undefined, text);
  t.is(unpackXids('AA', 0), undefined, 'nothing is filled up with a whole character');
  const { text } = packXids([0, 2 ** 40], 0, 100);
  t.true(text.includes('A'));
  t.is(unpackXids(text.replaceAll('A', '!'), 0), undefined);
  t.deepEqual(unpackXids('A', 0), []);
  t.deepEqual(unpackXids('Ag', 0), [0]);
  t.is(unpackXids('Ag', Number.MAX_SAFE_INTEGER + 1), undefined);
});
