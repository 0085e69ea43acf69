import test from 'ava';
import fc from 'fast-check';
import { Frontier } from '../../src/event/frontier.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/relay/checkpoint.js';
import { fromRuns, toRuns } from '../../src/relay/id-runs.js';
import { Subjects } from '../../src/relay/subjects.js';
import { cases } from '../helpers/fuzz.js';

test('A checkpoint says after the log what it said before', (t) => {
  const anyId = fc.integer({ min: 1, max: 2 ** 40 });
  fc.assert(
    fc.property(
      fc.uniqueArray(anyId),
      fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      anyId,
      (ids, hashes, xmax) => {
        const inProgress = ids.filter((id) => id < xmax).sort((a, b) => a - b);
        const checkpoint = {
          term: 'abc123',
          previous: 7,
          frontier: new Frontier('epoch001', 1234, inProgress[0] ?? xmax, xmax, inProgress),
          status: { startedAt: 1, prunedXid: 2, storage: true, activity: 'summary' as const },
          ahead: toRuns(ids.slice(0, 5)),
          aheadFrom: 3,
          manifest: Uint32Array.from(hashes),
        };
        t.deepEqual(decodeCheckpoint(encodeCheckpoint(checkpoint)), checkpoint);
      },
    ),
    cases(100),
  );
});

test('Runs of ids hold just the ids that they were made of', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 })), (ids) => {
      t.deepEqual([...fromRuns(toRuns(ids))].sort(), [...new Set(ids)].sort());
    }),
    cases(100),
  );
});

test('Any audience makes one token of a subject, and no two make the same one', (t) => {
  const names = new Subjects('shop');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }), (a, b) => {
      const [one, other] = [names.event('g1', `u:${a}`), names.event('g1', `u:${b}`)];
      t.deepEqual(names.parse(one), { kind: 'event', generation: 'g1' });
      t.deepEqual(names.parse(names.live(one)), { kind: 'event', generation: 'g1' });
      t.is(one === other, Buffer.from(a).equals(Buffer.from(b)));
    }),
    cases(100),
  );
});
