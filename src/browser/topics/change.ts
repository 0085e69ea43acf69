/** Milliseconds in which what a page joins and leaves is one change. */
const MOMENT = 20;
/** Changes that are made at once, and milliseconds until there may be one more. */
const BURST = 5;
const REFILL = 1000;

/**
 * A page that goes on changing its rooms must not open a stream each time.
 *
 * @param apply - makes the change. @returns whether there was one to be made
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
