/** Characters of a snapshot that a URL has room for beside the rest: proxies take lines of 8 kB. */
const MAX_LENGTH = 5000;

/**
 * A snapshot from `djr.position()` that fits into a URL. With many transactions in progress it claims less: what is above the
 * last one that fits counts as new again, and pages drop what they have by its id.
 */
export function shortSnapshot(snapshot: string): string {
  if (snapshot.length <= MAX_LENGTH) return snapshot;
  const match = /^(\d+):\d+:([\d,]+)$/.exec(snapshot);
  // Whatever else it is, the stream says that it cannot be read.
  if (!match) return snapshot;
  const inProgress = match[2]!.split(',');
  let length = 50;
  const fit = inProgress.findIndex((xid) => {
    length += xid.length + 1;
    return length > MAX_LENGTH;
  });
  return `${match[1]}:${inProgress[fit]}:${inProgress.slice(0, fit).join(',')}`;
}
