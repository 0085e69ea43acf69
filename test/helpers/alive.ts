import type { ExecutionContext } from 'ava';

/** Keeps the process alive until the test ends: what the test waits for has a timer that does not. */
export function stayAlive(t: Pick<ExecutionContext, 'teardown'>): void {
  const timer = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(timer));
}
