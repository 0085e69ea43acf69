import { AHEAD, Ahead, type NamedAhead } from '../../event/ahead.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';

/**
 * The position in the ids of the frames with which a resume sends events by frontier: a frontier, and the events ahead of it that were
 * sent since. The frontier is the one with which the client reconnected or, after a reading from storage, the snapshot of that reading.
 * From such an id the client can continue at any instance.
 */
export class ResumeId {
  readonly #base: string;
  readonly #ahead: Ahead;

  /**
   * @param position - the text of the position to begin with: of the client's last id, or of the snapshot of a reading
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
