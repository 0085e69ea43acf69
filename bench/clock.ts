/**
 * Microseconds of the machine's monotonic clock. All processes of one machine read the same one, so that
 * a moment taken in the publisher can be subtracted from one taken in a reader.
 */
export const now = (): number => Number(process.hrtime.bigint() / 1000n);

const cell = new Int32Array(new SharedArrayBuffer(4));

/** `setTimeout` wakes up to a millisecond late, which is as long as a whole delivery: the last two are waited for exactly. */
export async function waitUntil(moment: number): Promise<void> {
  const early = (moment - now()) / 1000 - 2;
  // A turn of the event loop in any case: at thousands a second nothing but this lets answers be read.
  await new Promise<void>((resolve) => (early > 0 ? setTimeout(resolve, early) : setImmediate(resolve)));
  let left = moment - now();
  while (left > 0) {
    if (left > 150) Atomics.wait(cell, 0, 0, (left - 100) / 1000);
    left = moment - now();
  }
}
