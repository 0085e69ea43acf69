/** Milliseconds of the first wait, which doubles with each failure, and of the longest. */
const FIRST = 100;
const LONGEST = 10_000;

/**
 * How long to wait before the next attempt, in milliseconds: a random part of a time that doubles with each failure, so that instances
 * which lost the same server do not all reconnect at once.
 *
 * @param failures - attempts in a row that have failed, at least 1
 */
export const backoff = (failures: number): number =>
  Math.random() * Math.min(LONGEST, FIRST * 2 ** Math.min(failures, 10));
