import { Ahead } from '../../event/ahead.js';
import type { Envelope } from '../../event/envelope.js';
import type { Frontier } from '../../event/frontier.js';
import { Item } from '../../event/item.js';
import { packPosition } from '../../event/position.js';

/** The name of no order: an id with it is a frontier, and no place. */
const NO_ORDER = '0';

/**
 * Where the stream of an edge stands. With the whole log, events have the numbers of the log, so that all edges of a relay are
 * one order: an id of one is a place in memory at every other. An edge with its own subjects learns by a manifest what it has
 * missed, behind what it has delivered: it has an order of its own, as an instance on PostgreSQL has.
 */
export class EdgeHead {
  readonly #isOwn: boolean;
  #order: string;
  #sequence = 0;
  /** Items that were made. */
  #count = 0;
  /** The position of the last item. */
  #last: string | undefined;
  #frontier: Frontier | undefined;
  #ahead: Ahead | undefined;
  /** Whether events have rows: without them they are not in the log. */
  isStored = true;

  /** @param own - the name of this edge's order; undefined: it is that of the log */
  constructor(own?: string) {
    this.#isOwn = own !== undefined;
    this.#order = own ?? NO_ORDER;
  }

  /**
   * The log's generation, and the term of its writer: where an engine has lost something, numbers come again. Empty: no id has a
   * place in memory here.
   */
  get order(): string {
    return this.isStored && this.#order !== NO_ORDER ? this.#order : '';
  }

  /** All events visible in it have been delivered. @throws before the first checkpoint */
  get reached(): Frontier {
    if (!this.#frontier) throw new Error('The edge has no frontier before the first checkpoint.');
    return this.#frontier;
  }

  get position(): string {
    const packed = this.#ahead?.packed ?? '';
    // An event without a row is in no log: nobody can say whether it has come, and no place may promise it.
    return packPosition(this.isStored ? this.#order : NO_ORDER, this.#sequence, this.reached, packed);
  }

  moveTo(frontier: Frontier): void {
    this.#frontier = frontier;
    this.#ahead ??= new Ahead(frontier);
    this.#ahead.moveTo(frontier);
  }

  /** The next event is here, in the log. */
  place(order: string, sequence: number): void {
    if (this.#isOwn) return;
    this.#order = order;
    this.#sequence = sequence;
  }

  /** Numbers come again: no id has a place in an order that has them twice. */
  lose(sequence: number): void {
    this.place(NO_ORDER, sequence);
  }

  next(envelope: Envelope): Item {
    const before = this.#last ?? this.position;
    this.#count += 1;
    if (this.#isOwn && !envelope.unstored) this.#sequence += 1;
    this.#ahead?.add(envelope);
    const { position } = this;
    this.#last = position;
    return new Item(this.#sequence, envelope, position, this.#count, before);
  }
}
