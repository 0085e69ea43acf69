import { sleep } from '../lib/sleep.js';

/** Milliseconds that the database may take for one answer: a connection that was cut without notice gives none for many minutes. */
export const ANSWER_TIMEOUT = 10_000;

/** Milliseconds after which the pool knows which connections a stopping server has ended. */
const SETTLE = 100;

/** Tries once more if a reading failed before its first row, as the pool may have given a connection that was already dead. */
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
