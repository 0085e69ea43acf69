import test from 'ava';
import fc from 'fast-check';
import { Ahead } from '../../src/event/ahead.js';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { packPosition, parsePosition } from '../../src/event/position.js';
import { cases } from '../helpers/fuzz.js';

const TIME = 1_700_000_000_000;
const event = (id: number, createdAt = TIME + 5): Envelope =>
  new Envelope(id, 100 + id, 'public', null, 'note', createdAt, '{}');
const named = (frontier: Frontier, ahead: Ahead) =>
  parsePosition(`7-${packPosition('k3f9', 1, frontier, ahead.packed)}`)!.ahead;

test('An id names what was delivered ahead of its frontier, and nothing else', (t) => {
  // Ids that lie close together, as they come from a sequence, in any order.
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 90 }), { maxLength: 90, size: 'max' });
  fc.assert(
    fc.property(ids, fc.integer({ min: 0, max: 2 ** 40 }), (delivered, base) => {
      const frontier = new Frontier('abcdefgh', TIME, 100, 100, []);
      const ahead = new Ahead(frontier);
      for (const id of delivered) ahead.add(event(base + id));
      const names = named(frontier, ahead);
      const expected = new Set(delivered);
      for (let id = 1; id <= 91; id += 1) {
        const has = names?.has(event(base + id)) ?? false;
        if (has) t.true(expected.has(id), 'what is named was delivered');
        else if (!ahead.overflowed) t.false(expected.has(id), 'all of it is named');
      }
      t.is(names === undefined, delivered.length === 0);
      t.is(ahead.packed.length <= 400, true);
      if (!ahead.overflowed) t.is(names?.size ?? 0, delivered.length);
    }),
    cases(500),
  );
  t.pass();
});

test('A frontier that moves on takes what it shows out of what is named', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 41 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
      (delivered, upTo, open) => {
        const first = new Frontier('e', TIME, 100, 100, []);
        const ahead = new Ahead(first);
        for (const id of delivered) ahead.add(event(id));
        const inProgress = open.filter((id) => id < upTo).sort((a, b) => a - b);
        const xids = inProgress.map((id) => 100 + id);
        const next = new Frontier('e', TIME + 1000, xids[0] ?? 100 + upTo, 100 + upTo, xids);
        ahead.moveTo(next);
        const names = named(next, ahead);
        for (const id of delivered) t.is(names?.has(event(id)) ?? false, next.isNew(100 + id));
      },
    ),
    cases(500),
  );
  t.pass();
});

test('After a crash the same number may be another event, which is not taken for the one that was named', (t) => {
  const frontier = new Frontier('e', TIME, 100, 100, []);
  const ahead = new Ahead(frontier);
  ahead.add(event(7, TIME + 20));
  t.true(named(frontier, ahead)!.has(event(7, TIME + 20)));
  t.false(named(frontier, ahead)!.has(event(7, TIME + 21)));
});

test('In another history of the database nothing is named any more', (t) => {
  const ahead = new Ahead(new Frontier('e', TIME, 100, 100, []));
  ahead.add(event(7));
  ahead.moveTo(new Frontier('f', TIME, 100, 100, []));
  t.is(ahead.packed, '');
});

test('Events that are too many, or far apart, are left out, and it is known', (t) => {
  const frontier = new Frontier('e', TIME, 100, 100, []);
  const ahead = new Ahead(frontier);
  for (let id = 1; id <= 4096; id += 1) ahead.add(event(id));
  t.false(ahead.overflowed);
  t.true(ahead.packed.length < 20, ahead.packed);
  ahead.add(event(4097));
  t.true(ahead.overflowed);
  const apart = new Ahead(frontier);
  for (let id = 1; id <= 100; id += 1) apart.add(event(id * 1000));
  t.true(apart.overflowed);
  t.true(named(frontier, apart)!.has(event(100_000)), 'the newest stay');
  // A time that somebody made up would let an id of before a crash hide any event behind it.
  const made = new Ahead(frontier);
  made.add(event(1, TIME + 10 ** 9));
  t.is(made.packed, '');
});

test('Whatever stands behind a frontier, reading it gives names or no position', (t) => {
  const part = fc.stringMatching(/^[0-9a-zA-Z_-]{0,13}$/);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 9 }), (parts) => {
      const position = parsePosition(`1-k.1.e.1.1.1.A${parts.join('.')}`);
      if (!position) return;
      t.true(position.ahead!.size >= 1);
    }),
    cases(1000),
  );
  t.pass();
});
