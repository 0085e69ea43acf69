import { AHEAD, NamedAhead } from './ahead.js';
import { Frontier } from './frontier.js';

/** Where a client stands: a place in the order of one instance, and the frontier that holds on any instance. */
export interface Position {
  readonly instance: string;
  /** Number of the last item of that instance that the client got. */
  readonly sequence: number;
  readonly frontier: Frontier;
  /** Events that the client has got although they are not visible in the frontier. */
  readonly ahead: NamedAhead | undefined;
}

/**
 * The opaque rest of a frame's id, behind the event's id and a dash.
 *
 * @param ahead - of {@link Ahead.packed}
 */
export const packPosition = (instance: string, sequence: number, frontier: Frontier, ahead = ''): string =>
  `${instance}.${sequence.toString(36)}.${frontier.packed}${ahead}`;

/** Begins the part of an id that says when the event was inserted: it tells the client, and the server reads over it. */
export const TIME = '..';

/** The id of a frame as a place to go on from. */
export const placeOf = (lastEventId: string): string => lastEventId.split(TIME, 1)[0]!;

/** Longer than any id that we make: with a thousand open transactions, far apart, they take some 2,000 characters. */
const MAX_LENGTH = 4096;

/**
 * Reads the id that a client came back with.
 *
 * @returns undefined when it is not one of ours: the client is told `reset` then.
 */
export function parsePosition(lastEventId: string): Position | undefined {
  if (lastEventId.length > MAX_LENGTH) return undefined;
  const match = /^\d{1,16}-([0-9a-z]{1,16})\.([0-9a-z]{1,11})\.([0-9A-Za-z._-]+)$/.exec(placeOf(lastEventId));
  if (!match) return undefined;
  const sequence = Number.parseInt(match[2]!, 36);
  const parts = match[3]!.split('.');
  const at = parts.findIndex((part, i) => i > 0 && part.startsWith(AHEAD));
  const frontier = Frontier.unpack(at < 0 ? parts : parts.slice(0, at));
  if (!frontier || !Number.isSafeInteger(sequence)) return undefined;
  const ahead = at < 0 ? undefined : NamedAhead.unpack(parts.slice(at), frontier);
  if (at >= 0 && !ahead) return undefined;
  return { instance: match[1]!, sequence, frontier, ahead };
}
