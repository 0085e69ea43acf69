import test from 'ava';
import fc from 'fast-check';
import { IdSet } from '../../src/lib/id-set.js';
import { cases } from '../helpers/fuzz.js';

test('A set of ids has what was added, and nothing else', (t) => {
  const ids = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
  );
  fc.assert(
    fc.property(ids, ids, (added, asked) => {
      const set = new IdSet();
      const model = new Set<number>();
      for (const id of added) {
        set.add(id);
        model.add(id);
      }
      for (const id of [...added, ...asked, ...added.map((id) => id + 32)]) t.is(set.has(id), model.has(id));
      set.clear();
      for (const id of added) t.false(set.has(id));
    }),
    cases(500),
  );
  t.pass();
});

test('A million ids that follow each other take a thousand small pages', (t) => {
  const set = new IdSet();
  for (let id = 7_000_000; id < 8_000_000; id += 1) set.add(id);
  t.true(set.pages <= 978, `${set.pages}`);
});
