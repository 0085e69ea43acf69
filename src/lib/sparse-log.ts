import type { Logger } from './logger.js';

/** Milliseconds in which the same thing is said once. */
const PAUSE = 60_000;

/** Texts that are told apart; where there are more, a message is said once whatever its error is. */
const MAX_TEXTS = 100;

const reasonOf = (err: unknown): string => (err instanceof Error ? `${err.name} ${err.message}` : typeof err);

/** Says the same thing once a minute, however many requests it befalls; the repeats are for `debug`. */
export class SparseLog {
  readonly #logger: Logger;
  readonly #said = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  say(level: 'info' | 'warn' | 'error', context: { err?: unknown; [name: string]: unknown }, message: string): void {
    const now = performance.now();
    for (const [text, until] of this.#said) if (until <= now) this.#said.delete(text);
    const exact = `${message} ${reasonOf(context.err)}`;
    const text = this.#said.size < MAX_TEXTS || this.#said.has(exact) ? exact : message;
    const repeated = this.#said.has(text);
    if (!repeated) this.#said.set(text, now + PAUSE);
    this.#logger[repeated ? 'debug' : level](context, message);
  }
}
