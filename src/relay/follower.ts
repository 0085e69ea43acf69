import type { Envelope } from '../event/envelope.js';
import type { Frontier } from '../event/frontier.js';
import type { Logger } from '../lib/logger.js';
import { OnceLogger } from '../lib/once-logger.js';
import type { LogStatus } from './checkpoint.js';
import type { Interest } from './interest.js';
import type { Log } from './log.js';
import { OwnSubjects } from './own-subjects.js';
import { Pursuit } from './pursuit.js';
import { GoneError, type Placed, Reader } from './reader.js';
import { BrokenChainError, type Place, Standing } from './standing.js';
import type { Subjects } from './subjects.js';
import { Waiters } from './waiters.js';
import { type Copy, type Taken, TooFarError, type Way } from './way.js';
import { WholeLog } from './whole-log.js';

export type { Place };

export interface FollowerOptions {
  log: Log;
  subjects: Subjects;
  logger: Logger;
  /** Messages of before the start that are read for clients that reconnect. */
  warm: number;
  /** What its clients hear, where it takes in nothing else; undefined: it takes in the whole log. */
  interest?: Interest | undefined;
  /** Of {@link Reader}. */
  wait?: number;
  /** Messages that are read to go on where the stream was. @defaultValue 50,000 */
  maxFill?: number | undefined;
  /** The stream begins here: all that is new since this frontier comes. @param sequence - behind which it comes */
  onBegin(frontier: Frontier, status: LogStatus, sequence: number): void;
  /** The next event or order. @param place - undefined: it is not in the log, as an event that is not stored */
  deliver(envelope: Envelope, place: Place | undefined): void;
  /** All that is visible in its frontier has been delivered. */
  onCheckpoint(frontier: Frontier, status: LogStatus, placed: Placed): void;
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
export interface Heard extends Omit<Copy, 'sequence'> {
  /** undefined: it is not in the log, as an event that is not stored. */
  readonly sequence: number | undefined;
}

/** Milliseconds without a checkpoint after which the log is looked at, and between two such looks. */
const SILENCE = 1500;

/** Messages that may wait while others are read. */
const MAX_HELD = 20_000;

/**
 * Follows the log: hears the live copies of its messages, which may be lost, and reads what is missing by sequence. Every
 * event comes once, whatever happens to the connection, the engine or the writer.
 */
export class Follower {
  readonly reader: Reader;
  readonly #options: FollowerOptions;
  readonly #onceLog: OnceLogger;
  readonly #standing: Standing;
  readonly #way: Way;
  readonly #pursuit: Pursuit;
  readonly #waiters = new Waiters();
  #held: Copy[] = [];
  #working: Promise<void> | undefined;
  #replayed: Promise<void> | undefined;
  #lookedAt = 0;
  #stopped = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#onceLog = new OnceLogger(options.logger);
    const { interest, log, maxFill, onBack, onBegin, subjects, wait, warm } = options;
    const reader = new Reader(log, subjects, wait);
    this.reader = reader;
    const standing = new Standing(
      {
        ...options,
        onCheckpoint: (frontier, status, placed) => {
          options.onCheckpoint(frontier, status, placed);
          if (!this.#pursuit.isReplaying) this.#waiters.wake(placed);
        },
      },
      reader,
    );
    this.#standing = standing;
    const tools = {
      reader,
      standing,
      subjects,
      maxFill,
      isStopped: () => this.#stopped,
      onBegin: (from: Placed, sequence: number) => onBegin(from.said.frontier, from.said.status, sequence),
    };
    this.#way = interest ? new OwnSubjects({ ...tools, interest }) : new WholeLog({ ...tools, warm, onBack });
    this.#pursuit = new Pursuit({ ...options, ...tools, way: this.#way });
  }

  /** The last checkpoint; undefined before the first. */
  get at(): Placed | undefined {
    return this.#standing.at;
  }

  /** Sequence of the last message of the log that was taken. */
  get last(): number {
    return this.#standing.last;
  }

  /** The events behind the last checkpoint that have been delivered; undefined: all that the log has there. */
  get tail(): readonly Taken[] | undefined {
    return this.#way.tail;
  }

  /** Whether events were delivered that no frontier shows yet. */
  get isAhead(): boolean {
    return this.#standing.isAhead;
  }

  /** Milliseconds since a checkpoint came; Infinity: none has come yet. */
  get age(): number {
    const { heardAt } = this.#standing;
    return heardAt === 0 ? Number.POSITIVE_INFINITY : performance.now() - heardAt;
  }

  /** Times that the chain of checkpoints was another one. */
  get breaks(): number {
    return this.#pursuit.breaks;
  }

  /** Messages that were read because their live copies had not come. */
  get fills(): number {
    return this.#way.fills;
  }

  /** Times that something had to be read. */
  get holes(): number {
    return this.#way.holes;
  }

  /** Messages that could not be read. */
  get unreadable(): number {
    return this.#standing.unreadable;
  }

  /** A live copy came. */
  hear({ before, earlier, sequence, subject, text }: Heard): void {
    if (this.#stopped) return;
    if (sequence === undefined) {
      const envelope = this.at && this.#standing.read(text);
      if (envelope) this.#options.deliver(envelope, undefined);
      return;
    }
    const copy = { before, earlier, sequence, subject, text };
    if (!this.#working) {
      // A follower that has not begun reads what is in the log by then: the engine may have lost this message meanwhile, and given its place to another.
      if (this.at) this.#take(copy);
      return;
    }
    // A copy for which there is no room is read later: it is in the log.
    if (this.#held.length < MAX_HELD) this.#held.push(copy);
  }

  /** Looks whether something was missed, where nothing has been heard for a while. */
  tick(now = performance.now()): void {
    if (this.#stopped || this.#working) return;
    if (this.at && now - this.#standing.heardAt < SILENCE) return;
    if (now - this.#lookedAt < SILENCE / 3) return;
    this.look();
  }

  /** The connection is there again: what came meanwhile was not heard. */
  back(): void {
    this.#way.cut?.();
    this.look();
  }

  /** Compares what was heard with what the engine has. Of many calls at once one is enough. */
  look(): void {
    if (this.#stopped || this.#working) return;
    this.#lookedAt = performance.now();
    this.#work(() => this.#pursuit.look());
  }

  /** Resolves when a checkpoint has come that is enough. */
  until(enough: (placed: Placed) => boolean): Promise<void> {
    const { at } = this;
    if (this.#stopped || (at && !this.#pursuit.isReplaying && enough(at))) return Promise.resolve();
    return this.#waiters.wait(enough);
  }

  /**
   * Resolves when the log has come to where this reader was. Until then messages that were delivered before, under another
   * number, are skipped.
   */
  replayed(): Promise<void> {
    // All clients share one waiter: if no checkpoint comes for hours, many clients reconnect in vain.
    this.#replayed ??= this.until(() => this.#standing.isCaughtUp).finally(() => {
      this.#replayed = undefined;
    });
    return this.#replayed;
  }

  /** Audiences that were asked for begin as soon as nothing is being read. */
  arrive(): void {
    if (!this.#working) this.#way.arrive?.();
  }

  /** Resolves when nothing is being read any more. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiters.end();
    await this.idle();
  }

  #take(copy: Copy): void {
    try {
      const work = this.#way.take(copy);
      if (work === 'look') this.look();
      else if (work) this.#work(work);
    } catch (error) {
      if (error instanceof BrokenChainError) this.#work(() => this.#pursuit.attach());
      else this.#failed(error);
    }
  }

  /** Does what takes time; what is heard meanwhile waits. */
  #work(work: () => Promise<void>): void {
    if (this.#working || this.#stopped) return;
    this.#working = this.#guarded(work).finally(() => {
      this.#working = undefined;
      this.arrive();
      this.#drain();
    });
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#onceLog.end('the log of the relay can be read again');
    } catch (error) {
      if (this.#stopped) return;
      if (error instanceof TooFarError) this.#pursuit.begin(error.message);
      else if (!(error instanceof BrokenChainError || error instanceof GoneError)) {
        this.#failed(error);
        return;
      }
      await this.#pursuit.attach().catch((err: unknown) => this.#failed(err));
    }
  }

  #failed(err: unknown): void {
    if (!this.#stopped) this.#onceLog.say('error', { err }, 'the log of the relay cannot be read; will try again');
  }

  #drain(): void {
    if (!this.at || this.#stopped) return;
    const held = this.#held;
    this.#held = [];
    for (const [i, copy] of held.entries()) {
      this.#take(copy);
      if (!this.#working) continue;
      this.#held.push(...held.slice(i + 1));
      return;
    }
  }
}
