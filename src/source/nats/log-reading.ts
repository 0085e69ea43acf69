import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { hashAudience } from '../../relay/audience-hash.js';
import type { Follower } from '../../relay/follower.js';
import { decodeLine } from '../../relay/line.js';
import { GoneError, isBefore, type Placed, startOf } from '../../relay/reader.js';

/** Where in the log all that is new since a frontier lies. */
export interface Range {
  /** The first message that may be new. */
  readonly start: number;
  /** The checkpoints behind it, the oldest first: their manifests say whom each message is for. */
  readonly checkpoints: readonly Placed[];
  /** The last checkpoint: all that is visible in its frontier is in the log before it. */
  readonly end: Placed;
}

/** @returns undefined: the log does not reach back that far */
export async function rangeSince(follower: Follower, since: Frontier): Promise<Range | undefined> {
  const end = follower.at;
  if (!end || end.said.frontier.epoch !== since.epoch) return undefined;
  // Times are compared as well: of before a restart of PostgreSQL, transaction ids may have come again.
  const isOld = (placed: Placed) => isBefore(placed, since) && placed.said.frontier.time <= since.time;
  const way = await follower.reader.back(end, isOld);
  if (!way) return undefined;
  const from = way[0] ?? end;
  const start = startOf(from);
  const checkpoints = [...way.slice(1), end].filter(({ sequence }) => sequence > from.sequence);
  if (start > from.sequence) return { start, checkpoints, end };
  // Of before that checkpoint some are not visible in its frontier: the manifests further back name them.
  const earlier: Placed[] = [from];
  while (earlier[0]!.said.previous >= start && earlier[0]!.said.previous > 0) {
    earlier.unshift(await follower.reader.checkpoint(earlier[0]!.said.previous, end.generation));
  }
  return { start, checkpoints: [...earlier, ...checkpoints], end };
}

/** Sequences of the messages in a range that are for these audiences; undefined: for anybody. */
export function* sequencesFor(range: Range, audiences: readonly Audience[] | undefined, behind = 0): Generator<number> {
  const hashes = audiences && new Set(audiences.map(hashAudience));
  for (const { sequence, said } of range.checkpoints) {
    const first = sequence - said.manifest.length;
    for (const [i, hash] of said.manifest.entries()) {
      const at = first + i;
      if (at < range.start || at <= behind || hash < 2) continue;
      if (!hashes || hashes.has(hash)) yield at;
    }
  }
}

/** Whether an event of the range is new since a frontier. @param startedAt - of PostgreSQL, milliseconds since 1970 */
export const isNewSince = ({ xid, createdAt }: Envelope, since: Frontier, startedAt: number): boolean =>
  since.isNew(xid!) || (startedAt > since.time && createdAt >= since.time);

/** An event with its sequence. */
export interface Read {
  readonly sequence: number;
  readonly envelope: Envelope;
}

/** The events at these sequences, in order, a few at a time. @throws when the log has lost one meanwhile */
export async function* readEvents(follower: Follower, sequences: Iterable<number>): AsyncGenerator<Read> {
  for await (const { sequence, text } of follower.reader.many(sequences)) {
    yield { sequence, envelope: decodeLine(text) };
  }
}

export { GoneError };
