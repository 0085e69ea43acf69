import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { LogMessage } from './log.js';
import type { Placed } from './reader.js';

/** A live copy of a message of the log. */
export interface Copy extends LogMessage {
  /** The message before it with the same subject; 0, or undefined: none that is known. */
  readonly before?: number | undefined;
  /** Which events of the same transaction came before it: of `Transaction`. */
  readonly earlier?: string | undefined;
}

/** An event of the log, with its place. */
export interface Taken {
  readonly sequence: number;
  readonly envelope: Envelope;
}

/** What has to be done before the next message is taken: to compare with what the engine has, or this. */
export type Work = 'look' | (() => Promise<void>);

/** How a reader takes the log in: all of it, or what is for its own clients. */
export interface Way {
  /** Times that something had to be read. */
  readonly holes: number;
  /** Messages that were read because their live copies had not come. */
  readonly fills: number;

  /**
   * A live copy came.
   *
   * @returns what has to be done first; undefined: it has been taken
   * @throws `BrokenChainError` when the log is another one from some place on
   */
  take(copy: Copy): Work | undefined;

  /** Takes in what is missing up to a checkpoint of the same generation, which the engine has. */
  reach(newest: Placed): Promise<void>;

  /**
   * Goes on in the log as it is now.
   *
   * @param from - all that is new since `had` lies behind it; undefined: the stream begins anew
   */
  replay(to: Placed, from: Placed | undefined, had: Frontier | undefined): Promise<void>;

  /** The connection was cut: live copies of before may be missing. */
  cut?(): void;

  /** Nothing is being read: what has asked for events meanwhile may begin. */
  arrive?(): void;

  /** The events behind the last checkpoint that have been delivered; undefined: all that the log has there. */
  readonly tail?: readonly Taken[];
}

/** More was missed than is read: the stream begins anew. */
export class TooFarError extends Error {}

/** Messages that are read to go on where the stream was. */
export const MAX_FILL = 50_000;

/** @throws {@link TooFarError} */
export function checkFill(count: number, most = MAX_FILL): void {
  if (count > most) throw new TooFarError(`more than ${most} messages of the log were missed`);
}
