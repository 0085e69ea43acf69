/** What the app's code answers with when it takes its time, of whatever library. */
export const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** The app's code has not answered in time. */
export class TimeoutError extends Error {}

/** @throws {@link TimeoutError} when the app's code takes longer than `hookTimeout` milliseconds */
export function within<T>(hookTimeout: number, answer: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new TimeoutError(`no answer within ${hookTimeout} ms (hookTimeout)`);
    // A process that has nothing else to do need not wait for code that hangs.
    timer = setTimeout(() => reject(error), hookTimeout).unref();
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
