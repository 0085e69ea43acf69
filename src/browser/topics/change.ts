/** Milliseconds within which all joins and leaves of a page count as one change. */
const MOMENT = 20;
/** Changes that may be made one right after the other, and milliseconds until one more is allowed. */
const BURST = 5;
const REFILL = 1000;

/**
 * Collects changes of rooms, so that a page that changes them all the time does not open a stream for each.
 *
 * @param apply - makes the change; returns whether there was one to be made
 * @returns a function that asks for a change
 */
export function createChange(apply: () => boolean): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let budget = BURST;
  let counted = Date.now();
  return () => {
    if (timer) return;
    const now = Date.now();
    budget = Math.min(BURST, budget + (now - counted) / REFILL);
    counted = now;
    timer = setTimeout(
      () => {
        timer = undefined;
        if (apply()) budget--;
      },
      budget < 1 ? (1 - budget) * REFILL : MOMENT,
    );
  };
}
