/** Characters that a snapshot may have in a URL: proxies accept request lines of up to 8 kB. */
const MAX_LENGTH = 5000;

/**
 * Makes a snapshot of `djr.position()` short enough for a URL. If it has too many in-flight transactions, the snapshot is replaced by an
 * earlier one: events from the last transaction that fits on count as new again, and pages drop those that they have by their ids.
 */
export function shortSnapshot(snapshot: string): string {
  if (snapshot.length <= MAX_LENGTH) return snapshot;
  const match = /^(\d+):\d+:([\d,]+)$/.exec(snapshot);
  // Any other text is left as it is: the stream tells the client that it cannot be read.
  if (!match) return snapshot;
  const inProgress = match[2]!.split(',');
  let length = 50;
  const fit = inProgress.findIndex((xid) => {
    length += xid.length + 1;
    return length > MAX_LENGTH;
  });
  return `${match[1]}:${inProgress[fit]}:${inProgress.slice(0, fit).join(',')}`;
}
