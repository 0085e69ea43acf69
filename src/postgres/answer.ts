import { sleep } from '../lib/sleep.js';

/** Milliseconds that the database may take for one answer: a connection cut in silence gives none for many minutes. */
export const ANSWER_TIMEOUT = 10_000;

/** Milliseconds in which the pool hears of connections that a server ended as it stopped. */
const SETTLE = 100;

/** Tries again what failed before it began: on a connection from the pool, perhaps, that was dead already. */
export async function onceMore<T>(read: (began: () => void) => Promise<T>): Promise<T> {
  let hasBegun = false;
  const began = () => {
    hasBegun = true;
  };
  try {
    return await read(began);
  } catch (error) {
    if (hasBegun) throw error;
    await sleep(SETTLE);
    return read(began);
  }
}
