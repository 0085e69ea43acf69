import test from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import { Frontier } from '../../src/event/frontier.js';
import { Recent } from '../../src/relay/recent.js';

const frontier = (xid: number) => Frontier.fromSnapshot(`${xid}:${xid}:`, 'e', 1000)!;

test('What a source keeps for a take-over is bounded in bytes, and it knows from where on it has all', (t) => {
  const recent = new Recent();
  recent.startAt(frontier(100), 0);
  const text = `{"t": "${'x'.repeat(1_000_000)}"}`;
  for (let n = 0; n < 60; n += 1) recent.push(new Envelope(n + 1, 100 + n, 'public', null, 'large', 1, text));
  const kept = recent.since(frontier(100));
  t.true(kept.length < 25, `${kept.length} of 2 MB each`);
  t.is(kept.at(-1)!.id, 60);
  t.false(recent.covers(frontier(100)));
  t.true(recent.covers(frontier(kept[0]!.xid!)));
});
