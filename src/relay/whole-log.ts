import type { Frontier } from '../event/frontier.js';
import { decodeCheckpoint } from './checkpoint.js';
import type { LogMessage } from './log.js';
import { type Placed, type Reader, startOf } from './reader.js';
import { BrokenChainError, type Standing } from './standing.js';
import type { Subjects } from './subjects.js';
import { type Copy, checkFill, type Way, type Work } from './way.js';

export interface WholeLogOptions {
  reader: Reader;
  standing: Standing;
  subjects: Subjects;
  /** Messages of before the start that are read for clients that reconnect. */
  warm: number;
  /** Messages that are read to go on where the stream was. */
  maxFill?: number | undefined;
  isStopped(): boolean;
  /** The stream begins here: all that is new since its frontier comes. @param sequence - behind which it comes */
  onBegin(from: Placed, sequence: number): void;
  /** The log goes on at a lower sequence than before: numbers come again. All from this transaction on will be delivered. */
  onBack(xid: number, sequence: number): void;
}

/** Every message of the log, one behind the other: a sequence that is left out shows what did not come. */
export class WholeLog implements Way {
  holes = 0;
  fills = 0;
  readonly #options: WholeLogOptions;

  constructor(options: WholeLogOptions) {
    this.#options = options;
  }

  take(copy: Copy): Work | undefined {
    const { standing, subjects } = this.#options;
    const { sequence } = copy;
    if (sequence === standing.last + 1) {
      this.#apply(copy);
      return undefined;
    }
    if (sequence > standing.last + 1) {
      this.holes += 1;
      return async () => {
        await this.#fill(sequence - 1);
        if (sequence === standing.last + 1) this.#apply(copy);
      };
    }
    const kind = subjects.parse(copy.subject)?.kind;
    if (kind !== 'checkpoint' && kind !== 'claim') return undefined;
    if (decodeCheckpoint(copy.text).term === standing.at!.said.term) return undefined;
    throw new BrokenChainError('somebody writes the log from an earlier place on');
  }

  async reach(newest: Placed): Promise<void> {
    this.holes += 1;
    await this.#fill(newest.sequence);
  }

  async replay(to: Placed, from: Placed | undefined, had: Frontier | undefined): Promise<void> {
    const { isStopped, onBack, onBegin, reader, standing } = this.#options;
    const beginning = from ?? (await this.#warmFrom(to));
    const start = startOf(beginning);
    if (!had) {
      standing.begin(beginning, undefined);
      onBegin(beginning, start - 1);
    } else {
      if (beginning.sequence < standing.last) onBack(standing.xmax, start - 1);
      standing.begin(beginning, had);
    }
    const sequences = Array.from({ length: to.sequence - start + 1 }, (_, i) => start + i);
    for await (const message of reader.many(sequences)) {
      if (isStopped()) return;
      if (message.sequence > beginning.sequence) this.#apply(message);
      // Before the checkpoint at which reading begins, only events that its frontier does not show are new.
      else if (reader.isEvent(message, beginning.generation)) this.#deliver(message);
    }
  }

  /** The checkpoint from which on a stream that begins anew is read. */
  async #warmFrom(to: Placed): Promise<Placed> {
    const { reader, warm } = this.#options;
    let oldest = to;
    await reader.back(to, (placed) => {
      oldest = placed;
      return to.sequence - placed.sequence >= warm;
    });
    return oldest;
  }

  /** Reads up to this message. */
  async #fill(to: number): Promise<void> {
    const { isStopped, maxFill, reader, standing } = this.#options;
    const from = standing.last + 1;
    checkFill(to - from + 1, maxFill);
    const sequences = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    for await (const message of reader.many(sequences)) {
      if (isStopped()) return;
      this.fills += 1;
      this.#apply(message);
    }
  }

  /** The next message of the log. */
  #apply(message: LogMessage): void {
    const { reader, standing, subjects } = this.#options;
    const { sequence, subject } = message;
    const parsed = subjects.parse(subject);
    const { said, generation } = standing.at!;
    if (parsed?.kind === 'claim') standing.move(reader.toPlaced(message));
    else if (parsed?.kind === 'checkpoint') {
      const placed = reader.toPlaced(message);
      // An earlier writer had sent it when the log was claimed: its promise does not hold.
      if (placed.said.term === said.term) standing.move(placed);
    } else if (parsed?.kind === 'event' || parsed?.kind === 'order') {
      if (parsed.generation === generation) this.#deliver(message);
    }
    // A filler, and a message that a stranger wrote into the log, take a place and nothing more.
    standing.last = sequence;
  }

  #deliver({ sequence, text }: LogMessage): void {
    const { standing } = this.#options;
    const envelope = standing.read(text);
    if (envelope) standing.deliver(envelope, sequence);
  }
}
