import { AHEAD, Ahead, type NamedAhead } from '../../event/ahead.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';

/**
 * The position in the ids of frames that a client gets while it resumes: the frontier with which it reconnected, and the events ahead of
 * it that it has got since. A client that is cut off in the middle of a resume can go on from there at any instance.
 */
export class ResumeId {
  readonly #base: string;
  readonly #ahead: Ahead;

  /**
   * @param position - the position in the id with which the client reconnected
   * @param frontier - the frontier in that position
   * @param named - the events ahead of the frontier that the position names
   */
  constructor(position: string, frontier: Frontier, named?: NamedAhead) {
    const end = position.indexOf(`.${AHEAD}`);
    this.#base = end < 0 ? position : position.slice(0, end);
    this.#ahead = new Ahead(frontier, named);
  }

  get position(): string {
    return this.#base + this.#ahead.packed;
  }

  /** These events have been sent to the client, or are not for it. */
  add(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) this.#ahead.add(envelope);
  }
}
