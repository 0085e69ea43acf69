import test from 'ava';
import { Ahead } from '../../src/event/ahead.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { packPosition, parsePosition, placeOf } from '../../src/event/position.js';
import { packXids, unpackXids } from '../../src/event/xid-list.js';

test('An id is read as it was made: place, frontier, and what was delivered ahead of it', (t) => {
  const position = parsePosition('7-k3f9.a.ep.rs.5.4.1.2.A9.z.2.3.1')!;
  t.is(position.instance, 'k3f9');
  t.is(position.sequence, 10);
  t.is(position.frontier.snapshot, '5:9:6,8');
  t.like(position.frontier, { epoch: 'ep', time: 1000 });
  t.deepEqual(position.ahead!.runs, [
    { low: 34, high: 35 },
    { low: 30, high: 30 },
  ]);
  t.is(position.ahead!.until, 1009);
  t.is(position.ahead!.size, 3);
  t.is(parsePosition('7-k3f9.a.ep.rs.5.4')!.ahead, undefined);
});

test('The time in an id is no part of the place', (t) => {
  t.is(placeOf('7-a.1.e.1.3.1..kf12'), '7-a.1.e.1.3.1');
  t.is(placeOf('7-a.1.e.1.3.1'), '7-a.1.e.1.3.1');
  t.is(parsePosition('7-a.1.e.1.3.1..kf12')!.frontier.snapshot, '3:4:');
});

for (const id of [
  '',
  '7',
  '7-',
  '-a.1.e.1.3.1',
  'x-a.1.e.1.3.1',
  'x7-a.1.e.1.3.1',
  '12345678901234567-a.1.e.1.3.1',
  '7-.1.e.1.3.1',
  '7-A.1.e.1.3.1',
  '7-a..e.1.3.1',
  '7-a.A.e.1.3.1',
  '7-a.123456789012.e.1.3.1',
  '7-a.zzzzzzzzzzz.e.1.3.1',
  `7-${'a'.repeat(17)}.1.e.1.3.1`,
  `7-a.1.${'e'.repeat(17)}.1.3.1`,
  '7-a.1.E.1.3.1',
  '7-a.1.xE.1.3.1',
  '7-a.1.Ex.1.3.1',
  '7-a.1.e.1.3',
  '7-a.1.e.1',
  '7-a.1.e',
  '7-a.1.e.1.3.1 ',
  '7-a.1.e.1.3.1\n',
  '7-a.1.e.X.3.1',
  '7-a.1.e.1.X.1',
  '7-a.1.e.1.X3.1',
  '7-a.1.e.1.000000000003.1',
  '7-a.1.e.1.3.X',
  '7-a.1.e.1.3.1x-',
  '7-a.1.e.1.3.-1',
  '7-a.1.e.zzzzzzzzzzz.3.1',
  '7-a.1.e.1.zzzzzzzzzzz.1',
  '7-a.1.e.1.3.zzzzzzzzzzz',
  '7-a.1.e.1.3.1.1',
  '7-a.1.e.1.3.2.5',
  '7-a.1.e.1.3.1.P!',
  '7-a.1.e.1.3.1.P',
  '7-a.1.e.1.3.1.P_',
  '7-a.1.e.1.3.1.A',
  '7-a.1.e.1.3.1.A1',
  '7-a.1.e.1.3.1.A1.5',
  '7-a.1.e.1.3.1.A1.5.1.1',
  '7-a.1.e.1.3.1.A1.5.0',
  '7-a.1.e.1.3.1.A1.5.6',
  '7-a.1.e.1.3.1.A1.5.1.3.2',
  '7-a.1.e.1.3.1.AX.5.1',
  '7-a.1.e.1.3.1.A1.X.1',
  '7-a.1.e.1.3.1.A1.zzzzzzzzzzz.1',
  '7-a.1.e.1.3.1.Azzzzzzzzzzz.5.1',
  '7-a.1.e.1.3.1.A1.5.123456789012',
  '7-a.1.e.1.3.1.A1.X5.1',
  '7-a.1.e.1.3.1.A1.5X.1',
  '7-a.1.e.1.3.1.A1.000000000005.1',
  '7-a.1.e.2gosa7pa2gv.3.1.Aa.5.1',
  `7-a.1.e.1.3.1..${'x'.repeat(4096)}`,
]) {
  test(`An id that no instance made is no position: ${JSON.stringify(id.slice(0, 40))}`, (t) => {
    t.is(parsePosition(id), undefined);
  });
}

test('An id may be as long as 4096 characters', (t) => {
  const id = '7-a.1.e.1.3.1..';
  t.truthy(parsePosition(id + 'x'.repeat(4096 - id.length)));
  t.is(parsePosition(id + 'x'.repeat(4097 - id.length)), undefined);
});

test('A snapshot of PostgreSQL is read, in order and once each; anything else is none', (t) => {
  const read = (text: string) => Frontier.fromSnapshot(text, 'e', 1)?.snapshot;
  for (const sound of ['1:1:', '5:9:', '5:9:5,7', '0:0:', '5:9007199254740991:']) t.is(read(sound), sound);
  t.is(read('5:9:5,5,7'), '5:9:5,7');
  for (const bad of [
    '',
    '5:9',
    '5:9:,',
    '5:9:5,',
    '5:9:7,5',
    '5:9:4',
    '5:9:9',
    '9:5:',
    'x5:9:',
    '5:9:x',
    '5:9: ',
    '-5:9:',
    '5:9007199254740992:',
    '12345678901234567:12345678901234567:',
  ]) {
    t.is(read(bad), undefined, bad);
  }
});

test('A frontier in another epoch is the same snapshot of another history', (t) => {
  const frontier = new Frontier('e', 7, 5, 9, [6]);
  t.deepEqual(frontier.inEpoch('f'), new Frontier('f', 7, 5, 9, [6]));
});

test('What is new since a frontier is what it does not show', (t) => {
  const frontier = new Frontier('e', 7, 5, 9, [5, 7]);
  t.deepEqual(
    [4, 5, 6, 7, 8, 9, 10].map((xid) => frontier.isNew(xid)),
    [false, true, false, true, false, true, true],
  );
  const quiet = new Frontier('e', 7, 9, 9, []);
  t.deepEqual(
    [8, 9].map((xid) => quiet.isNew(xid)),
    [false, true],
  );
});

test('Up to 64 transactions are named one by one, for instances of an older version; more are packed', (t) => {
  const of = (count: number) => {
    const inProgress = Array.from({ length: count }, (_, i) => 100 + 2 * i);
    return new Frontier('e', 1, 100, 100 + 2 * count, inProgress);
  };
  t.is(of(64).packed.split('.').length, 4 + 64);
  t.is(of(65).packed.split('.').length, 5);
  for (const count of [64, 65]) {
    t.true(of(count).fits);
    t.is(parsePosition(`1-${packPosition('i', 1, of(count))}`)!.frontier.snapshot, of(count).snapshot);
  }
});

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
