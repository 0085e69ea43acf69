/**
 * Resolves after so many milliseconds, or at once when the signal is aborted. It never rejects.
 *
 * @param keepsAlive - false: a process that has nothing else to do may end meanwhile
 */
export function sleep(milliseconds: number, signal?: AbortSignal, keepsAlive = true): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    if (!keepsAlive) timer.unref();
    signal?.addEventListener('abort', end);
  });
}
