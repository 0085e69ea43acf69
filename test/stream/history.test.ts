import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { Ahead, type NamedAhead } from '../../src/event/ahead.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Item } from '../../src/event/item.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import { History } from '../../src/stream/history.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const item = (sequence: number, xid: number | null = sequence) =>
  new Item(sequence, new Envelope(sequence, xid, 'public', null, 'news', 0, '{}'), '');
/** Everything before this transaction is visible, and nothing else. */
const upTo = (xid: number, time = 0) => new Frontier('e', time, xid, xid, []);
const numbers = (items: Item[]) => items.map(({ sequence }) => sequence);
/** A history that is complete from the first transaction on, with these events in it. */
function historyOf(maxEvents: number, ...items: Item[]): History {
  const history = new History(maxEvents, 2 ** 20);
  history.startAt(1, 0);
  for (const one of items) history.push(one);
  return history;
}

test('An event that history has dropped takes no memory any more', async (t) => {
  const history = new History(2, 2 ** 20);
  const dropped = new WeakRef(item(1));
  const kept = new WeakRef(item(2));
  history.push(dropped.deref()!);
  history.push(kept.deref()!);
  history.push(item(3));
  // What a WeakRef was asked for stays until the turn has ended.
  await turn();
  collect();
  t.is(dropped.deref(), undefined);
  t.is(kept.deref()?.sequence, 2);
  t.deepEqual(
    history.all().map(({ sequence }) => sequence),
    [2, 3],
  );
});

test('A client whose frontier is as old as the transaction of a dropped event is not told that all is here', (t) => {
  const history = historyOf(2, item(1, 5), item(2, 6));
  t.true(history.covers(upTo(1)));
  history.push(item(3, 7));
  t.false(history.covers(upTo(4)));
  t.false(history.covers(upTo(5)), 'what was dropped is of this transaction, which is new to it');
  t.true(history.covers(upTo(6)));
});

test('Transactions that commit out of order take no completeness back', (t) => {
  const history = historyOf(1, item(1, 9), item(2, 7), item(3, 8));
  t.false(history.covers(upTo(9)));
  t.true(history.covers(upTo(10)));
  history.markIncompleteBefore(12);
  history.markIncompleteBefore(11);
  t.false(history.covers(upTo(11)));
  t.true(history.covers(upTo(12)));
});

test('A history that has not begun, or has an event without a row, covers nobody', (t) => {
  t.false(new History(10, 1000).covers(upTo(2 ** 40)));
  const history = historyOf(10, item(1));
  t.true(history.covers(upTo(1)));
  history.push(item(1, null));
  t.false(history.covers(upTo(1)));
});

test('A frontier of before a restart of PostgreSQL is not covered: its transactions may have been given twice', (t) => {
  const history = historyOf(10, item(1));
  history.restarted(1000);
  t.false(history.covers(upTo(1, 999)));
  t.true(history.covers(upTo(1, 1000)));
});

test('A place is reached where every item behind it is here, up to the last one', (t) => {
  const history = historyOf(2, item(1), item(2), item(3));
  t.deepEqual(
    [0, 1, 2, 3, 4].map((place) => history.reaches(place)),
    [false, true, true, true, false],
  );
  t.deepEqual(numbers(history.after(1, 10)), [2, 3]);
  t.deepEqual(numbers(history.after(1, 1)), [2]);
  t.deepEqual(numbers(history.after(3, 10)), []);
  history.markIncompleteUpTo(2);
  t.deepEqual(
    [1, 2, 3].map((place) => history.reaches(place)),
    [false, true, true],
  );
  history.markIncompleteUpTo(5);
  t.deepEqual(
    [3, 5, 6].map((place) => history.reaches(place)),
    [false, true, false],
  );
  t.is(history.lastSequence, 5);
  history.markIncompleteUpTo(4);
  t.deepEqual(
    [4, 5].map((place) => history.reaches(place)),
    [false, true],
  );
});

test('A history that begins anew is empty, and goes on behind the place where it was', (t) => {
  const history = historyOf(10, item(1), item(2));
  history.startAt(7);
  t.is(history.length, 0);
  t.is(history.bytes, 0);
  t.deepEqual(
    [1, 2, 3].map((place) => history.reaches(place)),
    [false, true, false],
  );
  t.false(history.covers(upTo(6)));
  t.true(history.covers(upTo(7)));
  history.push(item(3, 8));
  t.deepEqual(numbers(history.all()), [3]);
  t.deepEqual(numbers(history.after(2, 10)), [3]);
});

test('The bytes are a bound as well: exactly as many may stay', (t) => {
  const { size } = item(1);
  const history = new History(10, 2 * size);
  for (const n of [1, 2]) history.push(item(n));
  t.is(history.length, 2);
  t.is(history.bytes, 2 * size);
  history.push(item(3));
  t.deepEqual(numbers(history.all()), [2, 3]);
  t.is(history.bytes, 2 * size);
  history.push(new Item(4, new Envelope(4, 4, 'public', null, 'news', 0, `{"x":"${'x'.repeat(2 * size)}"}`), ''));
  t.is(history.length, 0, 'one that is larger than all of it leaves nothing');
  t.is(history.bytes, 0);
});

test('What is new since a frontier is in it in order, without what has no row', (t) => {
  const history = historyOf(10, item(1, 9), item(2, null), item(3, 5), item(4, 7));
  t.deepEqual(numbers(history.since(new Frontier('e', 0, 5, 8, [5]))), [1, 3]);
  t.deepEqual(numbers(history.since(upTo(10))), []);
  t.is(history.find(3)?.sequence, 3);
  t.is(history.find(5), undefined);
});

test('A history of thousands that has dropped thousands finds every item that it has', (t) => {
  const history = historyOf(1500);
  for (let n = 1; n <= 5000; n += 1) {
    history.push(item(n));
    t.is(history.length, Math.min(n, 1500));
  }
  t.deepEqual(numbers(history.after(3500, 3)), [3501, 3502, 3503]);
  t.deepEqual(numbers(history.after(4998, 10)), [4999, 5000]);
  t.is(history.find(3501)?.sequence, 3501);
  t.is(history.find(3500), undefined);
  t.is(history.all().length, 1500);
});

/** What an id names that was made of these events. */
function naming(...ids: number[]): NamedAhead {
  const ahead = new Ahead(upTo(1));
  for (const id of ids) ahead.add(item(id).envelope);
  return parsePosition(`1-${packPosition('i', 1, upTo(1), ahead.packed)}`)!.ahead!;
}

test('All events that an id names are here, or they are not', (t) => {
  const history = historyOf(3, item(1), item(2), item(3), item(4));
  t.true(history.hasAll(naming(4)));
  t.true(history.hasAll(naming(2, 3, 4)));
  t.true(history.hasAll(naming(2)));
  t.false(history.hasAll(naming(1, 2)));
  t.false(history.hasAll(naming(4, 5)));
});

test('How much of the stream is in memory is told in metrics', (t) => {
  const gauges: Record<string, () => number> = {};
  const meter = { gauge: (name: string, _help: string, read: () => number) => Object.assign(gauges, { [name]: read }) };
  const history = historyOf(10, item(1), item(2));
  history.metrics(meter as never);
  t.is(gauges.djr_history_events!(), 2);
  t.is(gauges.djr_history_bytes!(), history.bytes);
});
