import type { Envelope } from './envelope.js';
import { eventFrame } from './frame.js';

/** An event that this instance delivers, with its place in the order. */
export class Item {
  /** Its sequence number in the source's order, by which history finds it. An event with `store => false` has that of the event before it. */
  readonly sequence: number;
  /** Its number among all events that this instance delivers, including those with `store => false`. */
  readonly order: number;
  readonly envelope: Envelope;
  /** The position in the frame's id: what a client has got once it has got this event. */
  readonly position: string;
  /** The position of the item before it: where a client stands that has not got this event yet. */
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

  /** The frame, encoded once for all clients. */
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
