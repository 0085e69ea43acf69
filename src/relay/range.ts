import type { Frontier } from '../event/frontier.js';
import { isBefore, type Placed, type Reader, startOf } from './reader.js';

/** A part of the log, with the checkpoints that say whom each message of it is for. */
export interface Range {
  /** The first message that may be new. */
  readonly start: number;
  /** The checkpoints behind it, the oldest first. */
  readonly checkpoints: readonly Placed[];
  /** The last checkpoint: all that is visible in its frontier is in the log before it. */
  readonly end: Placed;
}

/** All that is new since the newest checkpoint that will do, up to this one. @returns undefined: none does */
export async function rangeTo(
  reader: Reader,
  end: Placed,
  enough: (placed: Placed) => boolean,
): Promise<Range | undefined> {
  const way = await reader.back(end, enough);
  if (!way) return undefined;
  const from = way[0] ?? end;
  const start = startOf(from);
  const checkpoints = [...way.slice(1), end].filter(({ sequence }) => sequence > from.sequence);
  if (start > from.sequence) return { start, checkpoints, end };
  // Of before that checkpoint some are not visible in its frontier: the manifests further back name them.
  const earlier: Placed[] = [from];
  while (earlier[0]!.said.previous >= start && earlier[0]!.said.previous > 0) {
    earlier.unshift(await reader.checkpoint(earlier[0]!.said.previous, end.generation));
  }
  return { start, checkpoints: [...earlier, ...checkpoints], end };
}

/** Where in the log all that is new since a frontier lies. @returns undefined: the log does not reach back that far */
export function rangeSince(reader: Reader, end: Placed, since: Frontier): Promise<Range | undefined> {
  // Times are compared as well: of before a restart of PostgreSQL, transaction ids may have come again.
  return rangeTo(reader, end, (placed) => isBefore(placed, since) && placed.said.frontier.time <= since.time);
}

/** Sequences of what a checkpoint's manifest has for these hashes of audiences. */
export function* sequencesOf({ sequence, said }: Placed, wants: (hash: number) => boolean): Generator<number> {
  const first = sequence - said.manifest.length;
  for (const [i, hash] of said.manifest.entries()) if (wants(hash)) yield first + i;
}

/** The same of a whole range. @param behind - only those behind this sequence */
export function* sequencesIn(range: Range, wants: (hash: number) => boolean, behind = 0): Generator<number> {
  for (const placed of range.checkpoints) {
    for (const sequence of sequencesOf(placed, wants)) {
      if (sequence >= range.start && sequence > behind) yield sequence;
    }
  }
}
