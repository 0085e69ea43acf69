import test from 'ava';
import { Ahead } from '../../src/event/ahead.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { packPosition, parsePosition } from '../../src/event/position.js';

const TIME = 1_700_000_000_000;
const event = (id: number, { createdAt = TIME + 5, xid = (100 + id) as number | null, unstored = false } = {}) =>
  new Envelope(id, xid, 'public', null, 'note', createdAt, '{}', null, unstored);
const from = (xid: number, time = TIME) => new Frontier('e', time, xid, xid, []);
const named = (frontier: Frontier, ahead: Ahead) =>
  parsePosition(`1-${packPosition('i', 1, frontier, ahead.packed)}`)!.ahead;

test('An event that the frontier shows already is not named', (t) => {
  const ahead = new Ahead(from(103));
  ahead.add(event(2));
  t.is(ahead.packed, '');
  ahead.add(event(3));
  t.deepEqual(named(from(103), ahead)!.runs, [{ low: 3, high: 3 }]);
});

test('An event without a row is named where it keeps a run together, and nowhere else', (t) => {
  const ahead = new Ahead(from(100));
  ahead.add(event(4, { xid: null, unstored: true }));
  t.is(ahead.packed, '');
  ahead.add(event(5));
  ahead.add(event(6, { xid: null, unstored: true }));
  ahead.add(event(7));
  ahead.add(event(8, { xid: null }));
  ahead.add(event(10, { xid: null, unstored: true }));
  t.deepEqual(named(from(100), ahead)!.runs, [{ low: 5, high: 7 }]);
});

test('Runs grow at both ends and become one where the gap between them is filled, in whatever order', (t) => {
  const runsOf = (...ids: number[]) => {
    const ahead = new Ahead(from(100));
    for (const id of ids) ahead.add(event(id));
    return named(from(100), ahead)!.runs;
  };
  t.deepEqual(runsOf(1, 3), [
    { low: 3, high: 3 },
    { low: 1, high: 1 },
  ]);
  t.deepEqual(runsOf(3, 1), [
    { low: 3, high: 3 },
    { low: 1, high: 1 },
  ]);
  t.deepEqual(runsOf(3, 2), [{ low: 2, high: 3 }]);
  t.deepEqual(runsOf(5, 3, 1, 2), [
    { low: 5, high: 5 },
    { low: 1, high: 3 },
  ]);
  t.deepEqual(runsOf(5, 3, 4), [{ low: 3, high: 5 }]);
  t.deepEqual(runsOf(9, 5, 1, 6), [
    { low: 9, high: 9 },
    { low: 5, high: 6 },
    { low: 1, high: 1 },
  ]);
  t.deepEqual(runsOf(9, 5, 1, 4), [
    { low: 9, high: 9 },
    { low: 4, high: 5 },
    { low: 1, high: 1 },
  ]);
  t.deepEqual(runsOf(9, 5, 6, 7, 5, 6, 9), [
    { low: 9, high: 9 },
    { low: 5, high: 7 },
  ]);
});

test('As many runs as an id has room for are named, the highest; of one more it is known', (t) => {
  const frontier = from(100);
  const ahead = new Ahead(frontier);
  for (let n = 1; n <= 32; n += 1) ahead.add(event(2 * n));
  t.false(ahead.overflowed);
  t.is(named(frontier, ahead)!.size, 32);
  ahead.add(event(66));
  t.true(ahead.overflowed);
  t.deepEqual(named(frontier, ahead)!.runs.at(-1), { low: 4, high: 4 });
  t.is(named(frontier, ahead)!.runs.length, 32);
});

test('A time that is an hour ahead is believed, and no later one', (t) => {
  const frontier = from(100);
  const ahead = new Ahead(frontier);
  ahead.add(event(1, { createdAt: TIME + 3_600_000 }));
  t.false(ahead.overflowed);
  t.is(named(frontier, ahead)!.until, TIME + 3_600_000);
  ahead.add(event(2, { createdAt: TIME + 3_600_001 }));
  t.true(ahead.overflowed);
  t.is(named(frontier, ahead)!.size, 1);
});

test('The time of the youngest is that of any of them, and never before the frontier', (t) => {
  const frontier = from(100);
  const ahead = new Ahead(frontier);
  ahead.add(event(1, { createdAt: TIME - 5 }));
  t.is(named(frontier, ahead)!.until, TIME);
  ahead.add(event(2, { createdAt: TIME + 9 }));
  ahead.add(event(3, { createdAt: TIME + 7 }));
  t.is(named(frontier, ahead)!.until, TIME + 9);
});

test('What moves to the frontier where it is keeps everything; a later one keeps what is new to it', (t) => {
  const first = from(100);
  const ahead = new Ahead(first);
  for (let n = 1; n <= 33; n += 1) ahead.add(event(2 * n));
  ahead.moveTo(first);
  t.true(ahead.overflowed);
  t.is(named(first, ahead)!.size, 32);
  const next = from(160, TIME + 100);
  ahead.moveTo(next);
  t.false(ahead.overflowed);
  t.deepEqual(
    named(next, ahead)!.runs.map(({ high }) => high),
    [66, 64, 62, 60],
  );
  t.is(named(next, ahead)!.until, TIME + 100);
  const last = from(200, TIME + 200);
  ahead.moveTo(last);
  t.is(ahead.packed, '');
  ahead.add(event(150));
  t.deepEqual(named(last, ahead)!.runs, [{ low: 150, high: 150 }]);
});

test('What an id named already stays named as long as the frontier does', (t) => {
  const frontier = from(100);
  const first = new Ahead(frontier);
  for (const id of [2, 5, 6]) first.add(event(id));
  const before = named(frontier, first)!;
  const ahead = new Ahead(frontier, before);
  t.deepEqual(named(frontier, ahead), before);
  ahead.moveTo(frontier);
  t.deepEqual(named(frontier, ahead), before);
  ahead.add(event(7));
  ahead.add(event(3));
  t.deepEqual(named(frontier, ahead)!.runs, [
    { low: 5, high: 7 },
    { low: 2, high: 3 },
  ]);
  t.deepEqual(
    before.runs,
    [
      { low: 5, high: 6 },
      { low: 2, high: 2 },
    ],
    'the id is as it was',
  );
  t.true(before.has(event(6)));
  t.false(before.has(event(4)));
  t.false(before.has(event(6, { createdAt: TIME + 6 })), 'it is younger than all that were named');
});
