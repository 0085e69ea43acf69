import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Logger } from '../lib/logger.js';
import type { LogStatus } from './checkpoint.js';
import { decodeLine } from './line.js';
import type { Placed, Reader } from './reader.js';

/** A place in the log: the writer of it, and the sequence. */
export interface Place {
  readonly generation: string;
  readonly term: string;
  readonly sequence: number;
}

/** What a reader of the log tells of. */
export interface StandingOptions {
  logger: Logger;
  /** The next event or order. @param place - undefined: it is not in the log, as an event that is not stored */
  deliver(envelope: Envelope, place: Place | undefined): void;
  /** All that is visible in its frontier has been delivered. */
  onCheckpoint(frontier: Frontier, status: LogStatus, placed: Placed): void;
  /** An event at this sequence was delivered before, with another number: of those up to it the order is not known here. */
  onSkip(sequence: number): void;
}

/** What was heard does not fit what is known: the log is another one from some place on. */
export class BrokenChainError extends Error {}

/** Where a reader of the log stands, and what it has delivered: each event once, whatever is read again. */
export class Standing {
  /** The last checkpoint; undefined before the first. */
  at: Placed | undefined;
  /** Sequence of the last message of the log that was taken. */
  last = 0;
  /** Messages that could not be read. */
  unreadable = 0;
  /** When a checkpoint came; 0: none has come yet. */
  heardAt = 0;
  readonly #options: StandingOptions;
  readonly #reader: Reader;
  #frontier: Frontier | undefined;
  /** Set while messages are read again: events that are visible in it were delivered before. */
  #had: Frontier | undefined;
  /** Delivered, and not visible in the frontier. */
  readonly #ahead = new Map<number, Envelope>();

  constructor(options: StandingOptions, reader: Reader) {
    this.#options = options;
    this.#reader = reader;
  }

  /** All that is visible in it has been delivered; undefined: nothing is known of what came before. */
  get frontier(): Frontier | undefined {
    return this.#frontier;
  }

  /** Whether events were delivered that no frontier shows yet. */
  get isAhead(): boolean {
    return this.#ahead.size > 0;
  }

  /** Whether the log has come to where this reader was when it had to go back. */
  get isCaughtUp(): boolean {
    return this.#had === undefined;
  }

  /** All events that were delivered are of transactions before this one. */
  get xmax(): number {
    let xid = this.#frontier?.xmax ?? 0;
    for (const envelope of this.#ahead.values()) xid = Math.max(xid, envelope.xid! + 1);
    return xid;
  }

  /** Nothing is known of what came before. */
  forget(): void {
    this.at = undefined;
    this.#frontier = undefined;
    this.#ahead.clear();
  }

  /** Messages are read from here on, some of which may have been delivered before. @param had - undefined: none was */
  begin(from: Placed, had: Frontier | undefined): void {
    this.#had = had ?? from.said.frontier;
    if (!had) {
      this.#ahead.clear();
      this.#frontier = from.said.frontier;
    }
    this.at = from;
    this.last = from.sequence;
  }

  deliver(envelope: Envelope, sequence: number): void {
    const { generation, said } = this.at!;
    const { createdAt, id, xid } = envelope;
    const had = this.#had;
    if (this.#ahead.has(id) || (had && !had.isNew(xid!) && createdAt <= had.time)) {
      this.#options.onSkip(sequence);
      return;
    }
    this.#ahead.set(id, envelope);
    this.#options.deliver(envelope, { generation, term: said.term, sequence });
  }

  /** @returns undefined for what is no event: it is counted */
  read(text: string): Envelope | undefined {
    try {
      return decodeLine(text);
    } catch (err) {
      this.unreadable += 1;
      this.#options.logger.warn({ err, count: this.unreadable }, 'dropped a message of the relay that is not ours');
      return undefined;
    }
  }

  /** Everything before this checkpoint has been taken. @throws {@link BrokenChainError} where it does not follow the last one */
  move(placed: Placed): void {
    const { at } = this;
    if (!at || placed.generation !== at.generation || placed.said.previous !== at.sequence) {
      throw new BrokenChainError('a checkpoint does not follow the one before');
    }
    this.#reader.known.add(placed);
    this.jump(placed);
  }

  /** All that is new up to this checkpoint has been delivered, whatever lies between it and the last one. */
  jump(placed: Placed): void {
    const { sequence, said } = placed;
    this.at = placed;
    this.last = sequence;
    this.heardAt = performance.now();
    // While it reads again what it has, the frontier stays where it was.
    if (said.frontier.contains(this.#frontier!)) {
      this.#frontier = said.frontier;
      this.#had = undefined;
      for (const [id, { xid }] of this.#ahead) if (!said.frontier.isNew(xid!)) this.#ahead.delete(id);
    }
    this.told();
  }

  /** Says once more where it stands. */
  told(): void {
    const { at } = this;
    this.#options.onCheckpoint(this.#frontier!, at!.said.status, at!);
  }
}
