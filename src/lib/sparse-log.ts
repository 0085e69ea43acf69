import type { Logger } from './logger.js';

/** Milliseconds within which the same message is logged once. */
const PAUSE = 60_000;

/** How many texts are told apart. With more, a message is logged once whatever its error is. */
const MAX_TEXTS = 100;

const reasonOf = (err: unknown): string => (err instanceof Error ? `${err.name} ${err.message}` : typeof err);

/** Logs the same message once a minute, however many requests it concerns; the repeats go to `debug`. */
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
