/**
 * The place of the first item whose key is at least this one; the length where there is none.
 *
 * @param items - in the order of their keys
 * @param from - places before it are not looked at
 */
export function lowerBound<T>(items: readonly T[], key: number, keyOf: (item: T) => number, from = 0): number {
  let low = from;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyOf(items[middle]!) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
