import type { Status } from './status.js';

/** Milliseconds between two sweeps while sweeps deliver. */
const FAST = 5;

/** Milliseconds between two sweeps while sweeps deliver, after {@link IDLE_AFTER} sweeps in a row that found nothing. */
const FAST_IDLE = 10;

/** After so many sweeps in a row that found nothing, sweeps come less often. */
const IDLE_AFTER = 20;

/** Milliseconds between two sweeps while NOTIFY should deliver and no probe has been heard. */
const DEAF = 250;

/**
 * Milliseconds until the next sweep.
 *
 * @param mode - what delivers events at present
 * @param empty - sweeps in a row that found nothing
 * @param heard - whether a probe was heard: until then nobody knows whether NOTIFY arrives
 * @param longest - the option `sweepInterval`
 */
export function sweepInterval(mode: Status['mode'], empty: number, heard: boolean, longest: number): number {
  if (mode === 'sweep') return empty < IDLE_AFTER ? FAST : FAST_IDLE;
  return heard ? longest : Math.min(DEAF, longest);
}
