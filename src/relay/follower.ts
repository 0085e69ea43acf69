import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import { decodeCheckpoint, type LogStatus } from './checkpoint.js';
import { decodeLine } from './line.js';
import type { Log, LogMessage } from './log.js';
import { GoneError, isBefore, newestCheckpoint, type Placed, Reader, startOf } from './reader.js';
import type { Subjects } from './subjects.js';

/** A place in the log: the writer of it, and the sequence. */
export interface Place {
  readonly generation: string;
  readonly term: string;
  readonly sequence: number;
}

export interface FollowerOptions {
  log: Log;
  subjects: Subjects;
  logger: Logger;
  /** Messages of before the start that are read for those who come back. */
  warm: number;
  /** Of {@link Reader}. */
  wait?: number;
  /** The stream begins here: all that is new since this frontier comes. @param sequence - behind which it comes */
  onBegin(frontier: Frontier, status: LogStatus, sequence: number): void;
  /** The next event or order. @param place - undefined: it is not in the log, as an event that is not stored */
  deliver(envelope: Envelope, place: Place | undefined): void;
  /** All that is visible in its frontier has been delivered. */
  onCheckpoint(frontier: Frontier, status: LogStatus, place: Place): void;
  /** An event at this sequence was delivered before, with another number: of those up to it the order is not known here. */
  onSkip(sequence: number): void;
  /** The log goes on at a lower sequence than before: numbers come again. All from this transaction on will be delivered. */
  onBack(xid: number, sequence: number): void;
  /** Something may be missing that the log has no more: {@link onBegin} comes next. */
  onGap(reason: string): void;
  /** The database was replaced or restored: {@link onBegin} comes next. */
  onReplaced(): void;
}

/** A live copy of a message. */
export interface Heard {
  readonly subject: string;
  readonly text: string;
  readonly sequence: number | undefined;
}

/** Milliseconds without a checkpoint after which the log is looked at, and between two such looks. */
const SILENCE = 1500;

/** Messages that may wait while others are read. */
const MAX_HELD = 20_000;

/** Messages that are read to go on where the stream was; who missed more begins anew. */
const MAX_FILL = 50_000;

/** What was heard does not fit what is known: the log is another one from some place on. */
class BrokenChainError extends Error {}

/**
 * Follows the log: hears the live copies of its messages, which may be lost, and reads what is missing by sequence. Every
 * event comes once, in the order of the log, whatever happens to the connection, the engine or the writer.
 */
export class Follower {
  readonly reader: Reader;
  /** Messages that were read because their live copies had not come. */
  fills = 0;
  /** Times that something had to be read. */
  holes = 0;
  /** Messages that could not be read. */
  unreadable = 0;
  /** Times that the chain of checkpoints was another one. */
  breaks = 0;
  readonly #options: FollowerOptions;
  readonly #onceLog: OnceLogger;
  #at: Placed | undefined;
  /** Sequence of the last message. */
  #last = 0;
  /** All that is visible in it has been delivered. */
  #frontier: Frontier | undefined;
  /** While messages are read again: what is visible in it was delivered before. */
  #had: Frontier | undefined;
  /** Delivered, and not visible in the frontier. */
  readonly #ahead = new Map<number, Envelope>();
  /** Messages are read again, up to where the log was when that began. */
  #replaying = false;
  #held: Heard[] = [];
  #working: Promise<void> | undefined;
  #heardAt = 0;
  #lookedAt = 0;
  #stopped = false;
  #waiting: { enough(placed: Placed): boolean; resolve(): void }[] = [];

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    this.reader = new Reader(options.log, options.subjects, options.wait);
  }

  /** The last checkpoint; undefined before the first. */
  get at(): Placed | undefined {
    return this.#at;
  }

  /** Sequence of the last message of the log that was delivered. */
  get last(): number {
    return this.#last;
  }

  /** Whether events were delivered that no frontier shows yet. */
  get isAhead(): boolean {
    return this.#ahead.size > 0;
  }

  /** Milliseconds since a checkpoint came; Infinity: none has come yet. */
  get age(): number {
    return this.#heardAt === 0 ? Number.POSITIVE_INFINITY : performance.now() - this.#heardAt;
  }

  /** A live copy came. */
  hear(message: Heard): void {
    if (this.#stopped) return;
    if (message.sequence === undefined) {
      const envelope = this.#at && this.#read(message.text);
      if (envelope) this.#options.deliver(envelope, undefined);
      return;
    }
    if (!this.#working && this.#at) {
      this.#process(message);
      return;
    }
    // What finds no place is read: it is in the log.
    if (this.#held.length < MAX_HELD) this.#held.push(message);
  }

  /** Looks whether something was missed, where nothing has been heard for a while. */
  tick(now = performance.now()): void {
    if (this.#stopped || this.#working) return;
    if (this.#at && now - this.#heardAt < SILENCE) return;
    if (now - this.#lookedAt < SILENCE / 3) return;
    this.look();
  }

  /** Compares what was heard with what the engine has. Of many calls at once one is enough. */
  look(): void {
    if (this.#stopped || this.#working) return;
    this.#lookedAt = performance.now();
    this.#work(() => this.#look());
  }

  /** Resolves when a checkpoint has come that is enough. */
  until(enough: (placed: Placed) => boolean): Promise<void> {
    if (this.#stopped || (this.#at && !this.#replaying && enough(this.#at))) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ enough, resolve }));
  }

  /**
   * Resolves when the log has come to where this reader was. Until then some of its messages are not delivered: they were, with
   * another number.
   */
  replayed(): Promise<void> {
    return this.until(() => this.#had === undefined);
  }

  /** Resolves when nothing is being read any more. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    await this.idle();
  }

  #process(message: Heard): void {
    try {
      this.#place(message, message.sequence!);
    } catch (error) {
      if (error instanceof BrokenChainError) this.#work(() => this.#attach());
      else this.#failed(error);
    }
  }

  #place(message: Heard, sequence: number): void {
    if (sequence === this.#last + 1) {
      this.#apply({ ...message, sequence });
      return;
    }
    if (sequence > this.#last + 1) {
      this.#held.push(message);
      this.holes += 1;
      this.#work(() => this.#fill(sequence - 1));
      return;
    }
    // The log has gone back: somebody writes it from an earlier place on.
    const kind = this.#options.subjects.parse(message.subject)?.kind;
    if (kind !== 'checkpoint' && kind !== 'claim') return;
    if (decodeCheckpoint(message.text).term !== this.#at!.said.term) this.#work(() => this.#attach());
  }

  /** The next message of the log. */
  #apply(message: LogMessage): void {
    const { sequence, subject, text } = message;
    const parsed = this.#options.subjects.parse(subject);
    if (!parsed) throw new BrokenChainError('a message of the log has a subject that is not ours');
    const { said, generation } = this.#at!;
    if (parsed.kind === 'claim') this.#move(this.reader.toPlaced(message));
    else if (parsed.kind === 'checkpoint') {
      const placed = this.reader.toPlaced(message);
      // An earlier writer had it on its way when the log was claimed: what it promises is not so.
      if (placed.said.term === said.term) this.#move(placed);
    } else if (parsed.kind !== 'filler' && parsed.generation === generation) {
      this.#deliver(text, { generation, term: said.term, sequence });
    }
    this.#last = sequence;
  }

  #deliver(text: string, place: Place): void {
    const envelope = this.#read(text);
    if (!envelope) return;
    const { xid, createdAt, id } = envelope;
    const had = this.#had;
    if (this.#ahead.has(id) || (had && !had.isNew(xid!) && createdAt <= had.time)) {
      this.#options.onSkip(place.sequence);
      return;
    }
    this.#ahead.set(id, envelope);
    this.#options.deliver(envelope, place);
  }

  #read(text: string): Envelope | undefined {
    try {
      return decodeLine(text);
    } catch (err) {
      this.unreadable += 1;
      this.#options.logger.warn({ err, count: this.unreadable }, 'dropped a message of the relay that is not ours');
      return undefined;
    }
  }

  #move(placed: Placed): void {
    const at = this.#at!;
    const { said, sequence, generation } = placed;
    if (generation !== at.generation || said.previous !== at.sequence) {
      throw new BrokenChainError('a checkpoint does not follow the one before');
    }
    this.#at = placed;
    this.reader.known.add(placed);
    this.#last = sequence;
    this.#heardAt = performance.now();
    // While it reads again what it has, the frontier stays where it was.
    if (said.frontier.contains(this.#frontier!)) {
      this.#frontier = said.frontier;
      this.#had = undefined;
      for (const [id, { xid }] of this.#ahead) if (!said.frontier.isNew(xid!)) this.#ahead.delete(id);
    }
    this.#options.onCheckpoint(this.#frontier!, said.status, { generation, term: said.term, sequence });
    this.#wake(placed);
  }

  #wake(placed: Placed): void {
    if (this.#replaying) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (one.enough(placed)) one.resolve();
      else this.#waiting.push(one);
    }
  }

  /** Does what takes time; what is heard meanwhile waits. */
  #work(work: () => Promise<void>): void {
    if (this.#working || this.#stopped) return;
    this.#working = this.#guarded(work).finally(() => {
      this.#working = undefined;
      this.#drain();
    });
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#onceLog.end('the log of the relay can be read again');
    } catch (error) {
      if (this.#stopped) return;
      if (error instanceof BrokenChainError || error instanceof GoneError) {
        await this.#attach().catch((err: unknown) => this.#failed(err));
      } else this.#failed(error);
    }
  }

  #failed(err: unknown): void {
    if (!this.#stopped) this.#onceLog.say('error', { err }, 'the log of the relay cannot be read; will try again');
  }

  #drain(): void {
    if (!this.#at || this.#stopped) return;
    const held = this.#held;
    this.#held = [];
    for (const [i, message] of held.entries()) {
      this.#process(message);
      if (!this.#working) continue;
      this.#held.push(...held.slice(i + 1));
      return;
    }
  }

  /** Reads up to this message. */
  async #fill(to: number): Promise<void> {
    const from = this.#last + 1;
    if (to - from >= MAX_FILL) {
      this.#begin(`more than ${MAX_FILL} messages of the log were missed`);
      await this.#attach();
      return;
    }
    const sequences = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    for await (const message of this.reader.many(sequences)) {
      if (this.#stopped) return;
      this.fills += 1;
      this.#apply(message);
    }
  }

  async #look(): Promise<void> {
    const at = this.#at;
    const newest = await this.reader.newest();
    if (!newest) return;
    if (!at) {
      await this.#attach(newest);
      return;
    }
    const { sequence, generation, said } = newest;
    // Nothing was missed; or this server is behind.
    if (generation === at.generation && sequence <= at.sequence && said.term === at.said.term) return;
    if (generation === at.generation && sequence > this.#last) {
      this.holes += 1;
      await this.#fill(sequence);
      return;
    }
    // A server that lags behind shows an older checkpoint, which is on the way to the one that is known.
    const { log, subjects } = this.#options;
    const placed = await newestCheckpoint(log, subjects, true);
    if (!placed) return;
    const same = placed.generation === at.generation && placed.said.term === at.said.term;
    if (same && placed.sequence <= at.sequence) return;
    await this.#attach(placed);
  }

  /** Nothing is known of what came before. */
  #begin(reason: string): void {
    this.#options.logger.warn({ reason }, 'the stream begins anew: its clients come back with what they have');
    this.#at = undefined;
    this.#frontier = undefined;
    this.#ahead.clear();
    this.#options.onGap(reason);
  }

  /** Goes on in the log as it is now, from where all is known; or begins with it. */
  async #attach(given?: Placed): Promise<void> {
    const newest = given ?? (await this.reader.newest());
    if (!newest) return;
    if (this.#at) {
      this.breaks += 1;
      this.reader.known.clear();
    }
    const frontier = this.#frontier;
    if (frontier && frontier.epoch !== newest.said.frontier.epoch) {
      this.#options.onReplaced();
      this.#at = undefined;
      this.#frontier = undefined;
      this.#ahead.clear();
    } else if (frontier) {
      const way = await this.reader.back(newest, (placed) => isBefore(placed, frontier));
      if (way) {
        await this.#replay(way[0] ?? newest, newest, frontier);
        return;
      }
      this.#begin('the log does not reach back to where the stream was');
    }
    const { warm } = this.#options;
    let oldest = newest;
    await this.reader.back(newest, (placed) => {
      oldest = placed;
      return newest.sequence - placed.sequence >= warm;
    });
    await this.#replay(oldest, newest, undefined);
  }

  /** @param had - all that is visible in it has been delivered; undefined: nothing has been */
  async #replay(from: Placed, to: Placed, had: Frontier | undefined): Promise<void> {
    const { onBack, onBegin, onCheckpoint } = this.#options;
    const start = startOf(from);
    const base = had ?? from.said.frontier;
    this.#had = base;
    if (had && from.sequence < this.#last) {
      let xid = had.xmax;
      for (const envelope of this.#ahead.values()) xid = Math.max(xid, envelope.xid! + 1);
      onBack(xid, start - 1);
    }
    if (!had) {
      this.#ahead.clear();
      this.#frontier = base;
      onBegin(base, from.said.status, start - 1);
    }
    this.#at = from;
    this.#last = from.sequence;
    this.#replaying = true;
    const { generation, said } = from;
    const sequences = Array.from({ length: to.sequence - start + 1 }, (_, i) => start + i);
    try {
      for await (const message of this.reader.many(sequences)) {
        if (this.#stopped) return;
        if (message.sequence > from.sequence) this.#apply(message);
        // Of before the checkpoint where it begins only what its frontier does not show is new.
        else if (this.reader.isEvent(message, generation)) {
          this.#deliver(message.text, { generation, term: said.term, sequence: message.sequence });
        }
      }
    } finally {
      this.#replaying = false;
    }
    this.#heardAt = performance.now();
    onCheckpoint(this.#frontier!, to.said.status, { generation, term: to.said.term, sequence: this.#last });
    this.#wake(to);
  }
}
