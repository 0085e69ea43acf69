import { availableParallelism } from 'node:os';
import type { ExecutionContext } from 'ava';
import { Semaphore } from '../../src/lib/semaphore.js';

type Test = Pick<ExecutionContext, 'teardown'>;

const places = new Semaphore(2 * availableParallelism());
const turns = new WeakMap<Test, Promise<void>>();

/**
 * Waits until fewer than two tests a processor of this file are under way. ava begins all of a file at once, and dozens of
 * runtimes and pages that start together wait for the processor for longer than any time-out allows.
 */
export function takeTurn(t: Test): Promise<void> {
  const turn =
    turns.get(t) ??
    new Promise<void>((begin) => {
      // Teardowns run last to first: what the test makes is gone before another one begins.
      void places.run(
        () =>
          new Promise<void>((end) => {
            t.teardown(end);
            begin();
          }),
      );
    });
  turns.set(t, turn);
  return turn;
}
