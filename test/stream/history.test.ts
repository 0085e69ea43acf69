import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { Envelope } from '../../src/event/envelope.js';
import { Item } from '../../src/event/item.js';
import { History } from '../../src/stream/history.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const item = (sequence: number) =>
  new Item(sequence, new Envelope(sequence, sequence, 'public', null, 'news', 0, '{}'), '');

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
