import { Frontier } from './frontier.js';

/** Where a client stands: a place in the order of one instance, and the frontier that holds on any instance. */
export interface Position {
  readonly instance: string;
  /** Number of the last item of that instance that the client got. */
  readonly sequence: number;
  readonly frontier: Frontier;
}

/** The opaque rest of a frame's id, behind the event's id and a dash. */
export const packPosition = (instance: string, sequence: number, frontier: Frontier): string =>
  `${instance}.${sequence.toString(36)}.${frontier.packed}`;

/** Longer than any id that we make: 64 open transactions take some 500 characters. */
const MAX_LENGTH = 1024;

/**
 * Reads the id that a client came back with.
 *
 * @returns undefined when it is not one of ours: the client is told `reset` then.
 */
export function parsePosition(lastEventId: string): Position | undefined {
  if (lastEventId.length > MAX_LENGTH) return undefined;
  const match = /^\d{1,16}-([0-9a-z]{1,16})\.([0-9a-z]{1,11})\.([0-9a-z.]+)$/.exec(lastEventId);
  if (!match) return undefined;
  const sequence = Number.parseInt(match[2]!, 36);
  const frontier = Frontier.unpack(match[3]!.split('.'));
  if (!frontier || !Number.isSafeInteger(sequence)) return undefined;
  return { instance: match[1]!, sequence, frontier };
}
