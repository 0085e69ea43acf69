import { Ahead } from '../event/ahead.js';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import { Item } from '../event/item.js';
import { packPosition } from '../event/position.js';

export interface HeadOptions {
  /** The name of the order in which this object numbers events. */
  order: string;
  /** Knows the frontier up to which all events have been delivered. */
  feed: { readonly reached: Frontier };
  /** More events were delivered ahead of the frontier than a frame's id can name. A sweep would move the frontier. */
  onOverflow(): void;
}

/** Knows where the stream stands. Only here does an event get its sequence number and the position for its frame's id. */
export class Head {
  readonly #options: HeadOptions;
  #sequence = 0;
  #order = 0;
  /** The position of the last item. */
  #last: string | undefined;
  #ahead: Ahead | undefined;

  constructor(options: HeadOptions) {
    this.#options = options;
  }

  /** The current position: for the id of a frame to a client that has got everything delivered so far. */
  get position(): string {
    return this.#pack(this.#aheadOfFrontier());
  }

  /**
   * Numbers the next event of the stream. An event with `store => false` gets no sequence number of its own, so a client that gets it
   * resumes from where it stood.
   */
  next(envelope: Envelope): Item {
    const before = this.#last ?? this.position;
    this.#order += 1;
    if (!envelope.unstored) this.#sequence += 1;
    const ahead = this.#aheadOfFrontier();
    ahead.add(envelope);
    if (ahead.overflowed) this.#options.onOverflow();
    const position = this.#pack(ahead);
    this.#last = position;
    return new Item(this.#sequence, envelope, position, this.#order, before);
  }

  #pack(ahead: Ahead): string {
    const { feed, order } = this.#options;
    return packPosition(order, this.#sequence, feed.reached, ahead.packed);
  }

  #aheadOfFrontier(): Ahead {
    const { reached } = this.#options.feed;
    this.#ahead ??= new Ahead(reached);
    this.#ahead.moveTo(reached);
    return this.#ahead;
  }
}
