import { AHEAD, NamedAhead } from './ahead.js';
import { Frontier } from './frontier.js';

/** Where a client stands: a sequence number, which means something on one instance only, and a frontier, which means the same on every instance. */
export interface Position {
  readonly instance: string;
  /** The sequence number of the last item of that instance that the client got. */
  readonly sequence: number;
  readonly frontier: Frontier;
  /** Events that the client has got although they are not visible in the frontier. */
  readonly ahead: NamedAhead | undefined;
}

/**
 * Makes the part of a frame's id after the event's id and a dash. Clients must treat it as opaque.
 *
 * @param ahead - {@link Ahead.packed}
 */
export const packPosition = (instance: string, sequence: number, frontier: Frontier, ahead = ''): string =>
  `${instance}.${sequence.toString(36)}.${frontier.packed}${ahead}`;

/** Begins the part of a frame's id that tells the client when the event was inserted. The server ignores it. */
export const TIME = '..';

/** A frame's id without the part that the server ignores. */
export const placeOf = (lastEventId: string): string => lastEventId.split(TIME, 1)[0]!;

/** Longer than any id that djr makes: with a thousand open transactions that are far apart it has some 2,000 characters. */
const MAX_LENGTH = 4096;

/**
 * Reads the id with which a client reconnects.
 *
 * @returns undefined if djr did not make it: the client is then told `reset`
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
