import { AHEAD, Ahead, type NamedAhead } from '../../event/ahead.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';

/**
 * The position in the ids that a client gets while it resumes: the frontier that it came with, and what it has got in front
 * of that. A client that is cut off in the middle goes on there, at any instance.
 */
export class ResumeId {
  readonly #base: string;
  readonly #ahead: Ahead;

  /**
   * @param position - of the id that the client came with
   * @param frontier - the frontier in it
   * @param named - the events that it names
   */
  constructor(position: string, frontier: Frontier, named?: NamedAhead) {
    const end = position.indexOf(`.${AHEAD}`);
    this.#base = end < 0 ? position : position.slice(0, end);
    this.#ahead = new Ahead(frontier, named);
  }

  get position(): string {
    return this.#base + this.#ahead.packed;
  }

  /** These have been sent, or are not for this client. */
  add(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) this.#ahead.add(envelope);
  }
}
