/** Whether a value is a promise of any library. */
export const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** Code of the app did not answer in time. */
export class TimeoutError extends Error {}

/** Settles as the work does or, after so many milliseconds, as `onLate` returns or throws, whichever comes first. */
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

/** Waits for code of the app. @throws {@link TimeoutError} if it takes longer than `hookTimeout` milliseconds */
export const within = <T>(hookTimeout: number, answer: PromiseLike<T>): Promise<T> =>
  // The timer does not keep the process alive: a process with nothing else to do need not wait for code that hangs.
  race(
    answer,
    hookTimeout,
    () => {
      throw new TimeoutError(`no answer within ${hookTimeout} ms (hookTimeout)`);
    },
    false,
  );

/** @returns the result of the work; undefined if it takes longer than so many milliseconds */
export const inTime = <T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> =>
  race(work, milliseconds, () => undefined, true);

/** @throws the error that `error` makes, if the work takes longer than so many milliseconds */
export const orThrow = <T>(work: Promise<T>, milliseconds: number, error: () => Error): Promise<T> =>
  race(
    work,
    milliseconds,
    () => {
      throw error();
    },
    true,
  );
