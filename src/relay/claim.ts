import type { Frontier } from '../event/frontier.js';
import { Chain } from './chain.js';
import { encodeCheckpoint, type LogStatus } from './checkpoint.js';
import { toRuns } from './id-runs.js';
import type { Log } from './log.js';
import type { Subjects } from './subjects.js';
import type { Found } from './takeover.js';

/** With what a take-over begins. */
export interface Claim {
  /** The generation of before goes on. */
  readonly goOn: boolean;
  readonly generation: string;
  readonly term: string;
  /** All events that are visible in it are in the log. */
  readonly frontier: Frontier;
  /** Others that are. */
  readonly known: Set<number>;
  /** Where in the log the first of these may be; 0: there is none. */
  readonly aheadFrom: number;
}

/** Writes a checkpoint that says what the log has, and where the term of a new writer begins. @returns its sequence */
export async function claimLog(
  { log, subjects }: { log: Log; subjects: Subjects },
  found: Found,
  claim: Claim,
  status: LogStatus,
): Promise<number> {
  const { aheadFrom, goOn, generation, frontier, known, term } = claim;
  const { last, checkpoint, tail } = found;
  const text = encodeCheckpoint({
    term,
    previous: goOn ? checkpoint!.sequence : 0,
    frontier,
    status,
    ahead: toRuns(known),
    aheadFrom,
    manifest: Uint32Array.from(goOn ? tail.map(({ hash }) => hash) : []),
  });
  await new Promise<void>((resolve, reject) => {
    log.append(subjects.claim(generation), text, last, (error) => (error === undefined ? resolve() : reject(error)));
  });
  return last + 1;
}

/**
 * Takes every place that a message of the writer before may name: its first message behind the claim is refused, and the
 * next ones name sequences that the log reaches only now. Behind the fillers none of them can come any more.
 */
export function fillPlaces(
  { log, subjects }: { log: Log; subjects: Subjects },
  claimed: number,
  generation: string,
  pipeline: number,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const chain = new Chain({
      log,
      last: claimed,
      pipeline,
      onBroken: reject,
      onAcknowledged: (sequence) => sequence === claimed + pipeline && resolve(),
    });
    for (let i = 0; i < pipeline; i += 1) chain.push(subjects.filler(generation), '');
  });
}
