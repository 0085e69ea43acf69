/**
 * The place of the first item whose key is at least this one; the length of the list if there is none.
 *
 * @param items - in the order of their keys
 * @param from - places before this one are ignored
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
