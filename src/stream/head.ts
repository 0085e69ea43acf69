import { Ahead } from '../event/ahead.js';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import { Item } from '../event/item.js';
import { packPosition } from '../event/position.js';

export interface HeadOptions {
  /** The name of the order that events get their numbers in. */
  order: string;
  /** Says which frontier has been reached: all events visible in it have been delivered. */
  feed: { readonly reached: Frontier };
  /** More is ahead of the frontier than an id can name: a sweep would move the frontier. */
  onOverflow(): void;
}

/** Where the stream stands: the one place that gives an event its number and its id. */
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

  /** What stands behind the dash in the id of a frame for a client that has got everything delivered by now. */
  get position(): string {
    return this.#pack(this.#aheadOfFrontier());
  }

  /** The next event of the stream. One without a row moves no client on: a client that gets it stands where it stood. */
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
