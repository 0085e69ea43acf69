import test from 'ava';
import fc from 'fast-check';
import { Frontier } from '../../src/event/frontier.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import { cases } from '../helpers/fuzz.js';

const anyId = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const anyFrontier = fc
  .record({
    epoch: fc.stringMatching(/^[0-9a-z]{8}$/),
    time: fc.integer({ min: 0, max: 2 ** 42 }),
    xmin: fc.integer({ min: 3, max: 2 ** 40 }),
    gaps: fc.oneof(
      fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 100 }),
      // Runs, and single ones far behind them.
      fc.array(fc.oneof({ arbitrary: fc.constant(1), weight: 20 }, fc.integer({ min: 1, max: 2 ** 30 })), {
        maxLength: 1500,
        size: 'max',
      }),
    ),
  })
  .map(({ epoch, time, xmin, gaps }) => {
    const inProgress: number[] = [];
    let xmax = xmin;
    for (const [i, gap] of gaps.entries()) {
      inProgress.push(xmax);
      xmax += i === gaps.length - 1 ? 1 : gap;
    }
    return new Frontier(epoch, time, xmin, xmax, inProgress);
  });

test('An id brings back the frontier that it was made of; with too much in progress, one that claims less', (t) => {
  fc.assert(
    fc.property(anyFrontier, anyId, fc.nat(), (frontier, id, sequence) => {
      const rest = packPosition('k3f9', sequence, frontier);
      const position = parsePosition(`${id}-${rest}`)!;
      t.is(position.instance, 'k3f9');
      t.is(position.sequence, sequence);
      t.is(position.frontier.epoch, frontier.epoch);
      t.is(position.frontier.time, frontier.time);
      t.is(position.frontier.snapshot === frontier.snapshot, frontier.fits);
      if (frontier.inProgress.length <= 64) t.regex(rest, /^[0-9a-z.]+$/, 'an older version can read it');
      t.true(rest.length <= 2048, `${rest.length}`);
      for (const xid of [...frontier.inProgress, frontier.xmax, frontier.xmax + 1]) {
        t.true(position.frontier.isNew(xid), 'what was new stays new');
      }
      t.false(position.frontier.isNew(frontier.xmin - 1));
      t.deepEqual(Frontier.fromSnapshot(frontier.snapshot, frontier.epoch, frontier.time), frontier);
    }),
    cases(100),
  );
  t.pass();
});

/** Of the transactions 3 to 20. */
const smallFrontier = fc
  .record({
    xmin: fc.integer({ min: 3, max: 15 }),
    span: fc.integer({ min: 0, max: 5 }),
    open: fc.subarray([0, 1, 2, 3, 4]),
  })
  .map(({ xmin, span, open }) => {
    const inProgress = open.filter((n) => n < span).map((n) => xmin + n);
    return new Frontier('e', 1, xmin, xmin + span, inProgress);
  });

test('A frontier contains another where nothing that is new to it is visible in the other', (t) => {
  const contained = { yes: 0, no: 0 };
  fc.assert(
    fc.property(smallFrontier, smallFrontier, (one, other) => {
      let expected = true;
      for (let xid = 1; xid <= 25; xid += 1) if (one.isNew(xid) && !other.isNew(xid)) expected = false;
      contained[expected ? 'yes' : 'no'] += 1;
      t.is(one.contains(other), expected);
    }),
    cases(2000),
  );
  t.true(contained.yes > 0 && contained.no > 0);
});

test('Whatever a client sends as its id, reading it gives a sound position or none', (t) => {
  const part = fc.oneof(fc.string({ maxLength: 12 }), fc.stringMatching(/^[0-9a-z]{0,13}$/));
  const id = fc.oneof(
    fc.string(),
    fc.tuple(part, fc.array(part, { maxLength: 9 })).map(([head, parts]) => `${head}-${parts.join('.')}`),
    fc
      .tuple(fc.nat(), fc.array(fc.stringMatching(/^[0-9a-z]{1,11}$/), { minLength: 4, maxLength: 9 }))
      .map(([head, parts]) => `${head}-${parts.join('.')}`),
  );
  fc.assert(
    fc.property(id, (text) => {
      const position = parsePosition(text);
      if (position === undefined) return;
      const { xmin, xmax, inProgress, time } = position.frontier;
      for (const value of [xmin, xmax, time, position.sequence, ...inProgress]) t.true(Number.isSafeInteger(value));
      t.true(xmin <= xmax && inProgress.every((xid) => xid >= xmin && xid < xmax));
      t.regex(position.frontier.snapshot, /^\d+:\d+:[\d,]*$/);
    }),
    cases(2000),
  );
  t.pass();
});

for (const [how, gap] of [
  ['consecutive', () => 1],
  ['in clusters', (i: number) => (i % 50 === 0 ? 5000 : 1)],
  ['up to 200 apart', (i: number) => 1 + ((i * 7919) % 200)],
  ['10 to 300 apart with one of long ago', (i: number) => (i === 1 ? 10_000_000 : 10 + ((i * 7919) % 290))],
] as const) {
  test(`A thousand transactions in progress, ${how}, fit into an id of 2 kB, and all come back`, (t) => {
    const inProgress: number[] = [];
    let xid = 5_000_000;
    for (let i = 0; i < 1000; i += 1) {
      inProgress.push(xid);
      xid += gap(i + 1);
    }
    const frontier = new Frontier('abcdefgh', 1_700_000_000_000, inProgress[0]!, xid, inProgress);
    t.true(frontier.fits);
    const id = `9007199254740991-${packPosition('k3f9aaaaaa', 2 ** 40, frontier)}`;
    t.true(id.length < 2048, `${id.length}`);
    t.is(parsePosition(id)!.frontier.snapshot, frontier.snapshot);
    // The URL of a new EventSource has it, too.
    t.is(new URLSearchParams({ id }).toString(), `id=${id}`);
  });
}

test('What does not fit is left out at the end: the transactions before it stay exact', (t) => {
  const inProgress = Array.from({ length: 5000 }, (_, i) => 1000 + i * 10_007);
  const frontier = new Frontier('e', 1, 1000, 1000 + 5000 * 10_007, inProgress);
  t.false(frontier.fits);
  const read = parsePosition(`1-${packPosition('i', 1, frontier)}`)!.frontier;
  t.true(read.inProgress.length > 500);
  t.false(read.isNew(1001));
  t.true(frontier.contains(read));
});
