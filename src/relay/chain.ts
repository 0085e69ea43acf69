import { type Log, RefusedError } from './log.js';

export interface ChainOptions {
  log: Log;
  /** The sequence of the newest message, behind which the chain begins. */
  last: number;
  /** Messages that may be on their way to the engine without an answer. */
  pipeline: number;
  /** Nobody knows what became of a message: none behind it is in the log, and the chain takes no more. */
  onBroken(error: unknown): void;
  /** Messages up to this sequence are in the log. */
  onAcknowledged?(sequence: number): void;
}

interface Waiting {
  readonly subject: string;
  readonly text: string;
  readonly earlier: string | undefined;
  readonly isPromise: boolean;
}

/** Appends messages, each of which names the sequence of the one before: they come into the log once and in this order. */
export class Chain {
  readonly #options: ChainOptions;
  /** The last that was sent. */
  #sent: number;
  #acknowledged: number;
  /** Behind those that were sent. */
  #waiting: Waiting[] = [];
  #next = 0;
  /** Those that promise something and have not been sent yet. */
  #promises = 0;
  #broken = false;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#sent = options.last;
    this.#acknowledged = options.last;
  }

  /** The sequence up to which the engine has said that it has the messages. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** The sequence that the next message will have. */
  get next(): number {
    return this.#sent + this.waiting + 1;
  }

  /** Messages that have not been sent yet, as too many have no answer. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Whether a message that promises something waits for those before it. */
  get isHeld(): boolean {
    return this.#promises > 0;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** @returns the sequence that the message has, if it comes into the log */
  push(subject: string, text: string, earlier?: string): number {
    return this.#push({ subject, text, earlier, isPromise: false });
  }

  /**
   * The same for a message that promises that all before it are in the log. It is sent when the engine has acknowledged these: it refuses
   * one in whose place a stranger has written meanwhile, and takes what is behind that one.
   */
  promise(subject: string, text: string): number {
    return this.#push({ subject, text, earlier: undefined, isPromise: true });
  }

  /** Nothing more is sent, and nothing more is told. */
  end(): void {
    this.#broken = true;
    this.#waiting = [];
    this.#next = 0;
    this.#promises = 0;
  }

  #push(message: Waiting): number {
    const sequence = this.next;
    if (this.#broken) return sequence;
    this.#waiting.push(message);
    this.#promises += Number(message.isPromise);
    this.#pump();
    return sequence;
  }

  #pump(): void {
    while (!this.#broken && this.waiting > 0) {
      const { earlier, isPromise, subject, text } = this.#waiting[this.#next]!;
      if (this.#sent - this.#acknowledged >= (isPromise ? 1 : this.#options.pipeline)) return;
      this.#next += 1;
      this.#promises -= Number(isPromise);
      if (this.#next > 1024 && this.#next * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#next);
        this.#next = 0;
      }
      const last = this.#sent;
      this.#sent += 1;
      const done = (error: unknown, sequence: number) => this.#onAnswer(error, sequence, last + 1);
      this.#options.log.append(subject, text, last, done, earlier);
    }
  }

  #onAnswer(error: unknown, sequence: number, expected: number): void {
    if (this.#broken) return;
    // Answers come in the order of the messages; one that is missing shows in the next.
    if (error === undefined && sequence === expected && expected === this.#acknowledged + 1) {
      this.#acknowledged = sequence;
      this.#pump();
      this.#options.onAcknowledged?.(sequence);
      return;
    }
    const reason =
      error ?? new RefusedError(`a message must have the sequence ${this.#acknowledged + 1} (it has ${sequence})`);
    this.end();
    this.#options.onBroken(reason);
  }
}
