/** Whether a value is a promise, of whatever library: what the app's code answers with when it takes its time. */
export const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** The app's code did not answer in time. */
export class TimeoutError extends Error {}

/** Whichever is first: what the work says, or what `onLate` returns or throws after so many milliseconds. */
function race<T, Late>(
  work: PromiseLike<T>,
  milliseconds: number,
  onLate: () => Late,
  ref: boolean,
): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Late>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(onLate());
      } catch (error) {
        reject(error);
      }
    }, milliseconds);
    if (!ref) timer.unref();
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** For the app's code. @throws {@link TimeoutError} when it takes longer than `hookTimeout` milliseconds */
export const within = <T>(hookTimeout: number, answer: PromiseLike<T>): Promise<T> =>
  // A process that has nothing else to do need not wait for code that hangs.
  race(
    answer,
    hookTimeout,
    () => {
      throw new TimeoutError(`no answer within ${hookTimeout} ms (hookTimeout)`);
    },
    false,
  );

/** Undefined when the work takes longer than so many milliseconds. */
export const inTime = <T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> =>
  race(work, milliseconds, () => undefined, true);

/** @throws what `error` makes when the work takes longer than so many milliseconds */
export const orThrow = <T>(work: Promise<T>, milliseconds: number, error: () => Error): Promise<T> =>
  race(
    work,
    milliseconds,
    () => {
      throw error();
    },
    true,
  );
