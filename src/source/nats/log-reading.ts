import type { Audience } from '../../event/audience.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { hashAudience, NOTHING_HASH } from '../../relay/audience-hash.js';
import type { Follower } from '../../relay/follower.js';
import { readLine } from '../../relay/line.js';
import { type Range, rangeSince, sequencesIn } from '../../relay/range.js';
import { GoneError, type Placed } from '../../relay/reader.js';
import type { Taken } from '../../relay/way.js';

/** What of the log is read for a client. */
export interface Part extends Range {
  /** What had been delivered behind its end; undefined: it has to be looked for. */
  readonly tail: readonly Taken[] | undefined;
}

/** @returns undefined: the log does not reach back that far */
export async function partSince(follower: Follower, since: Frontier): Promise<Part | undefined> {
  const { at, reader, tail } = follower;
  if (!at || at.said.frontier.epoch !== since.epoch) return undefined;
  const range = await rangeSince(reader, at, since);
  return range && { ...range, tail };
}

/** Sequences of the messages in a part that are for these audiences; undefined: for anybody. */
export function sequencesFor(
  part: Part,
  audiences: readonly Audience[] | undefined,
  behind: number,
): Generator<number> {
  const hashes = audiences && new Set(audiences.map(hashAudience));
  return sequencesIn(part, (hash) => (hashes ? hashes.has(hash) : hash > NOTHING_HASH), behind);
}

/** Whether an event of the part is new since a frontier. @param startedAt - of PostgreSQL, milliseconds since 1970 */
export const isNewSince = ({ xid, createdAt }: Envelope, since: Frontier, startedAt: number): boolean =>
  since.isNew(xid!) || (startedAt > since.time && createdAt >= since.time);

/**
 * The events at these sequences of a part, in order, a few at a time.
 *
 * @throws `GoneError` when the log has lost one meanwhile, or has another message in its place
 */
export async function* readEvents(
  { reader }: Follower,
  { generation }: Placed,
  sequences: Iterable<number>,
): AsyncGenerator<Taken> {
  for await (const message of reader.many(sequences)) {
    const { sequence, text } = message;
    if (!reader.isEvent(message, generation)) throw new GoneError(sequence);
    const envelope = readLine(text);
    if (envelope) yield { sequence, envelope };
  }
}
