import type { Frontier } from '../event/frontier.js';
import { hashAudience, NOTHING_HASH, ORDER_HASH } from './audience-hash.js';
import { fromRuns } from './id-runs.js';
import { readLine } from './line.js';
import type { Log, LogMessage } from './log.js';
import { newestCheckpoint, type Placed } from './reader.js';
import type { Mark } from './ring.js';
import type { Subjects } from './subjects.js';

/** Where a writer finds the log. */
export interface Found {
  /** Sequence of the newest message. */
  readonly last: number;
  /** The newest checkpoint that holds; undefined: the log has none. */
  readonly checkpoint: Placed | undefined;
  /** The messages behind it; without an id: what is no event of this generation. */
  readonly tail: readonly { readonly sequence: number; readonly id: number | undefined; readonly hash: number }[];
}

/** Messages that are asked for at the same time. */
const AT_ONCE = 200;

/** Messages without a checkpoint behind them: a writer makes one each 100 ms. */
const MAX_TAIL = 100_000;

/** Reads, from the stream's leader, where the log ends. Nothing of it holds any more once somebody else has appended. */
export async function findEnd(log: Log, subjects: Subjects): Promise<Found> {
  const state = await log.state();
  if (!state) return { last: 0, checkpoint: undefined, tail: [] };
  const newest = await newestCheckpoint(log, subjects, true);
  if (!newest) return { last: state.last, checkpoint: undefined, tail: [] };
  if (state.last - newest.sequence > MAX_TAIL) {
    const behind = state.last - newest.sequence;
    throw new Error(`the log must have at most ${MAX_TAIL} messages behind its last checkpoint (it has ${behind})`);
  }
  const tail: LogMessage[] = [];
  for (let from = newest.sequence + 1; from <= state.last; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, state.last - from + 1);
    const read = await Promise.all(Array.from({ length: count }, (_, i) => log.read(from + i, true)));
    for (const message of read) {
      if (!message) throw new Error('a message behind the last checkpoint cannot be read');
      tail.push(message);
    }
  }
  return {
    last: state.last,
    checkpoint: newest,
    tail: tail.map(({ sequence, subject, text }) => {
      const parsed = subjects.parse(subject);
      const isEvent = parsed?.kind === 'event' || parsed?.kind === 'order';
      const envelope = isEvent && parsed.generation === newest.generation ? readLine(text) : undefined;
      if (!envelope) return { sequence, id: undefined, hash: NOTHING_HASH };
      const { id, audience } = envelope;
      return { sequence, id, hash: audience === undefined ? ORDER_HASH : hashAudience(audience) };
    }),
  };
}

/**
 * Whether the log can go on. It cannot where it has less than the engine has acknowledged.
 *
 * @param marks - of PostgreSQL, the newest first
 * @param acknowledged - what this source itself was told
 * @returns why it cannot; undefined: it can
 */
export function decide(
  found: Found,
  epoch: string,
  marks: readonly Mark[],
  acknowledged: { readonly generation: string; readonly sequence: number } | undefined,
): string | undefined {
  const { checkpoint, last } = found;
  const newest = marks[0];
  if (!checkpoint) return newest ? 'the log is gone' : 'there is no log yet';
  if (checkpoint.said.frontier.epoch !== epoch) return 'the database was replaced or restored';
  if (newest && newest.generation !== checkpoint.generation) {
    return 'the log is of another generation than PostgreSQL knows';
  }
  const told = Math.max(
    newest?.sequence ?? 0,
    acknowledged?.generation === checkpoint.generation ? acknowledged.sequence : 0,
  );
  if (told > last) {
    return `the log ends at ${last}, and the engine had acknowledged ${told}`;
  }
  return undefined;
}

/** Ids that are in the log and may not be visible in the frontier of its last checkpoint. */
export function knownIds({ checkpoint, tail }: Found): Set<number> {
  const known = checkpoint ? fromRuns(checkpoint.said.ahead) : new Set<number>();
  for (const { id } of tail) if (id !== undefined) known.add(id);
  return known;
}

/** Where in the log the first of {@link knownIds} may be; 0: there is none. */
export const knownFrom = ({ checkpoint, tail }: Found): number =>
  checkpoint?.said.aheadFrom || (tail.find(({ id }) => id !== undefined)?.sequence ?? 0);

/** Seconds of events with which a new generation begins: readers that are no further behind go on without asking a source. */
const OVERLAP = 10_000;

/** Where a new generation begins: at what is certain to be older than whatever the engine has lost. */
export function beginningOf(found: Found, reached: Frontier, marks: readonly Mark[]): Frontier {
  const known = marks.map(({ frontier }) => frontier).filter((frontier) => frontier.epoch === reached.epoch);
  const old = known.find((frontier) => frontier.time <= reached.time - OVERLAP) ?? known.at(-1);
  const said = found.checkpoint?.said.frontier;
  const survived = said?.epoch === reached.epoch ? said : undefined;
  if (old && survived) return old.time < survived.time ? old : survived;
  return old ?? survived ?? reached;
}
