import type { Envelope } from './envelope.js';
import { eventFrame } from './frame.js';

/** An event that this instance has delivered, with its place in the order. */
export class Item {
  /** Its place in the history; of an event without a row, that of the last one before it that has one. */
  readonly sequence: number;
  /** Its place among all that this instance delivers. */
  readonly order: number;
  readonly envelope: Envelope;
  /** What a client that got this has got: the rest of the frame's id. */
  readonly position: string;
  /** The same of the item before it: where a client stands that has not got this yet. */
  readonly before: string;
  #frame: Buffer | undefined;
  #named: Buffer | undefined;

  constructor(sequence: number, envelope: Envelope, position: string, order = sequence, before = position) {
    this.sequence = sequence;
    this.order = order;
    this.envelope = envelope;
    this.position = position;
    this.before = before;
  }

  /** Encoded once, for all clients. */
  frame(named: boolean): Buffer {
    if (named) {
      this.#named ??= eventFrame(this.envelope, this.position, true);
      return this.#named;
    }
    this.#frame ??= eventFrame(this.envelope, this.position, false);
    return this.#frame;
  }

  get size(): number {
    return this.envelope.size;
  }
}
