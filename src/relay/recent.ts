import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';

/** Events that it keeps, and bytes of them; most of them are in the history of the instance as well. */
const MAX_EVENTS = 10_000;
const MAX_BYTES = 32 * 1024 * 1024;

/** What a source has delivered lately, orders included: what the log lacks when it takes over is mostly here. */
export class Recent {
  #events: Envelope[] = [];
  #bytes = 0;
  /** Every event visible to this source whose transaction is at least this is here. */
  #completeFrom = Number.POSITIVE_INFINITY;
  /** Transaction ids of a frontier from before this moment may have come again since. Milliseconds since 1970. */
  #validFrom = 0;

  /** From here on all is here. @param startedAt - of PostgreSQL */
  startAt(frontier: Frontier, startedAt: number): void {
    this.#events = [];
    this.#bytes = 0;
    this.#completeFrom = frontier.xmax;
    this.#validFrom = startedAt;
  }

  /** PostgreSQL was started at this time. */
  restarted(startedAt: number): void {
    this.#validFrom = startedAt;
  }

  push(envelope: Envelope): void {
    this.#events.push(envelope);
    this.#bytes += envelope.size;
    // It cuts a fifth at a time: a cut moves all that is left.
    if (this.#events.length <= MAX_EVENTS * 1.25 && this.#bytes <= MAX_BYTES * 1.25) return;
    let cut = 0;
    while (this.#events.length - cut > MAX_EVENTS || this.#bytes > MAX_BYTES) {
      const { size, xid } = this.#events[cut]!;
      this.#bytes -= size;
      this.#completeFrom = Math.max(this.#completeFrom, xid! + 1);
      cut += 1;
    }
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
