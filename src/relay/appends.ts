import type { Msg } from '@nats-io/transport-node';
import { RefusedError } from './log.js';

export type Done = (error: unknown, sequence: number) => void;

interface Append {
  readonly done: Done;
  readonly until: number;
}

type Answer = { seq?: number; error?: { code: number; err_code?: number; description: string } };

/** Milliseconds between two looks for appends that have no answer. */
const LOOK = 250;

/** What the engine says of an append behind another message than it has last. */
const WRONG_LAST_SEQUENCE = 10071;

/** Appends that are on their way to the engine, and what became of them. */
export class Appends {
  readonly #timeout: number;
  readonly #pending = new Map<string, Append>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout - milliseconds within which there must be an answer */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** @returns what the answer is known by */
  add(done: Done): string {
    this.#timer ??= setInterval(() => this.#look(), LOOK).unref();
    this.#count += 1;
    const token = this.#count.toString(36);
    this.#pending.set(token, { done, until: performance.now() + this.#timeout });
    return token;
  }

  answer(token: string, message: Msg): void {
    const append = this.#pending.get(token);
    if (!append) return;
    this.#pending.delete(token);
    if (message.headers?.code) {
      append.done(new Error(`the engine did not take a message: ${message.headers.code}`), 0);
      return;
    }
    const { seq, error } = message.json<Answer>();
    if (!error) append.done(undefined, seq ?? 0);
    else if (error.err_code === WRONG_LAST_SEQUENCE) append.done(new RefusedError(error.description), 0);
    else append.done(new Error(`the engine did not take a message: ${error.description}`), 0);
  }

  /** Nobody will ever know what became of them. */
  fail(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { done } of pending) done(error, 0);
  }

  /** Nothing more is told. */
  end(): void {
    clearInterval(this.#timer);
    this.#pending.clear();
  }

  #look(): void {
    // The oldest is the first.
    const [oldest] = this.#pending.values();
    if (oldest && oldest.until < performance.now()) this.fail(new Error('the engine did not answer in time'));
  }
}
