import { Ahead } from '../event/ahead.js';
import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import { Item } from '../event/item.js';
import { packPosition } from '../event/position.js';
import type { Feed } from './feed.js';
import type { History } from './history.js';

export interface HeadOptions {
  /** Which of the instances this is. */
  instance: string;
  feed: Feed;
  history: History;
  /** More is ahead of the frontier than an id can name: a sweep would move the frontier. */
  onOverflow(): void;
}

/** Where the stream of this instance stands: the one place that gives an event its number and its id. */
export class Head {
  readonly #options: HeadOptions;
  #sequence = 0;
  #order = 0;
  #ahead: Ahead | undefined;

  constructor(options: HeadOptions) {
    this.#options = options;
  }

  /** All events visible in it have been delivered. */
  get reached(): Frontier {
    return this.#options.feed.reached;
  }

  /** The rest of an id for a client that has got everything up to now. */
  get position(): string {
    return this.#pack(this.#options.history.lastSequence, this.#aheadOfFrontier());
  }

  /** The next event of the stream. One without a row moves no client on: who gets it stands where it stood. */
  next(envelope: Envelope): Item {
    this.#order += 1;
    if (!envelope.unstored) this.#sequence += 1;
    const ahead = this.#aheadOfFrontier();
    ahead.add(envelope);
    if (ahead.overflowed) this.#options.onOverflow();
    return new Item(this.#sequence, envelope, this.#pack(this.#sequence, ahead), this.#order);
  }

  #pack(sequence: number, ahead: Ahead): string {
    return packPosition(this.#options.instance, sequence, this.reached, ahead.packed);
  }

  #aheadOfFrontier(): Ahead {
    this.#ahead ??= new Ahead(this.reached);
    this.#ahead.moveTo(this.reached);
    return this.#ahead;
  }
}
