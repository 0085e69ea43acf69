import { Ahead } from '../../event/ahead.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { Item } from '../../event/item.js';
import { packPosition } from '../../event/position.js';

/**
 * Where the stream of an edge stands. Events have the numbers of the log, so that all edges of a relay are one order: an id
 * of one is a place in memory at every other.
 */
export class EdgeHead {
  #order = '0';
  #sequence = 0;
  #frontier: Frontier | undefined;
  #ahead: Ahead | undefined;

  /** The log's generation, and the term of its writer: where an engine has lost something, numbers come again. */
  get order(): string {
    return this.#order;
  }

  /** All events visible in it have been delivered. @throws before the first checkpoint */
  get reached(): Frontier {
    if (!this.#frontier) throw new Error('The edge has no frontier before the first checkpoint.');
    return this.#frontier;
  }

  get position(): string {
    return packPosition(this.#order, this.#sequence, this.reached, this.#ahead?.packed ?? '');
  }

  /** Sequence of the last event. */
  get sequence(): number {
    return this.#sequence;
  }

  moveTo(frontier: Frontier): void {
    this.#frontier = frontier;
    this.#ahead ??= new Ahead(frontier);
    this.#ahead.moveTo(frontier);
  }

  /** The next event is here; undefined: it is not in the log, and takes no number. */
  place(order: string, sequence: number): void {
    this.#order = order;
    this.#sequence = sequence;
  }

  next(envelope: Envelope): Item {
    this.#ahead?.add(envelope);
    return new Item(this.#sequence, envelope, this.position);
  }
}
