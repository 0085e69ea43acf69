import { availableParallelism } from 'node:os';
import type { ExecutionContext } from 'ava';

/** Tests of one file that may be under way at once. */
const PLACES = 2 * availableParallelism();

type Test = Pick<ExecutionContext, 'teardown'>;

let free = PLACES;
const underWay = new WeakSet<Test>();
const waiting: (() => void)[] = [];

/**
 * Waits until fewer than {@link PLACES} tests of this file are under way. ava begins all of a file at once, and dozens of
 * runtimes and pages that start together wait for the processor for longer than any time-out allows.
 */
export async function takeTurn(t: Test): Promise<void> {
  if (underWay.has(t)) return;
  underWay.add(t);
  if (free > 0) free -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  // Teardowns run last to first: what the test makes is gone before another one begins.
  t.teardown(() => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  });
}
