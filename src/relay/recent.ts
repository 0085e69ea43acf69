import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';

/** Events that it keeps; most of them are in the history of the instance as well. */
const MAX_EVENTS = 10_000;

/** What a source has delivered lately, orders included: what the log lacks when it takes over is mostly here. */
export class Recent {
  #events: Envelope[] = [];
  /** Every event visible to this source whose transaction is at least this is here. */
  #completeFrom = Number.POSITIVE_INFINITY;
  /** Transaction ids of a frontier from before this moment may have come again since. Milliseconds since 1970. */
  #validFrom = 0;

  /** From here on all is here. @param startedAt - of PostgreSQL */
  startAt(frontier: Frontier, startedAt: number): void {
    this.#events = [];
    this.#completeFrom = frontier.xmax;
    this.#validFrom = startedAt;
  }

  /** PostgreSQL was started at this time. */
  restarted(startedAt: number): void {
    this.#validFrom = startedAt;
  }

  push(envelope: Envelope): void {
    this.#events.push(envelope);
    if (this.#events.length <= MAX_EVENTS * 1.25) return;
    const cut = this.#events.length - MAX_EVENTS;
    for (const { xid } of this.#events.slice(0, cut)) this.#completeFrom = Math.max(this.#completeFrom, xid! + 1);
    this.#events = this.#events.slice(cut);
  }

  /** Whether all that is new since this frontier is here. */
  covers(frontier: Frontier): boolean {
    return frontier.xmin >= this.#completeFrom && frontier.time >= this.#validFrom;
  }

  /** All that is new since this frontier, in the order of delivery; ask {@link covers} first. */
  since(frontier: Frontier): Envelope[] {
    return this.#events.filter(({ xid }) => frontier.isNew(xid!));
  }
}
