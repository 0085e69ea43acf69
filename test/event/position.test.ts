import test from 'ava';
import { Frontier } from '../../src/event/frontier.js';
import { packPosition, parsePosition, placeOf } from '../../src/event/position.js';

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
