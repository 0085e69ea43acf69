import test from 'ava';
import { Frontier } from '../../src/event/frontier.js';
import { Beginnings } from '../../src/stream/beginnings.js';

const at = (xmax: number) => new Frontier('e', 1000, xmax, xmax, []);

test('A history has an audience from where it began: by sequence number, and by frontier once that is known', (t) => {
  const beginnings = new Beginnings();
  beginnings.begin('a', 5, at(10));
  beginnings.begin('b', 7, undefined);
  const reach = (sequence: number, ...audiences: string[]) => beginnings.reach(sequence, audiences);
  t.deepEqual([reach(4, 'a'), reach(5, 'a'), reach(6, 'a', 'b'), reach(7, 'a', 'b')], [false, true, false, true]);
  t.false(reach(99, 'a', 'c'), 'it does not have that one');
  t.true(reach(0));
  const cover = (xmax: number, ...audiences: string[]) => beginnings.cover(at(xmax), audiences);
  t.deepEqual([cover(9, 'a'), cover(10, 'a'), cover(99, 'a', 'b'), cover(99, 'c')], [false, true, false, false]);
  beginnings.settle('b', at(20));
  beginnings.settle('c', at(20));
  t.deepEqual([cover(19, 'b'), cover(20, 'a', 'b'), cover(99, 'c')], [false, true, false]);
  beginnings.end('a');
  t.deepEqual([reach(99, 'a'), reach(99, 'b')], [false, true]);
  beginnings.clear();
  t.false(reach(99, 'b'));
});
