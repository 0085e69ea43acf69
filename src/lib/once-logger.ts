import { codeOf } from './error-code.js';
import type { Logger } from './logger.js';

const reasonOf = (error: unknown): string => codeOf(error) ?? (error instanceof Error ? error.message : String(error));

/** How many failures are remembered at a time, as texts may differ each time. */
const MAX_SAID = 100;

/** Logs each failure once until it is over, as an outage may take hours with a failure every second. */
export class OnceLogger {
  readonly #logger: Logger;
  readonly #hintOf: (error: unknown) => string | undefined;
  readonly #said = new Set<string>();

  /** @param hintOf - says what to do about an error, as a sentence without a full stop */
  constructor(logger: Logger, hintOf: (error: unknown) => string | undefined = () => undefined) {
    this.#logger = logger;
    this.#hintOf = hintOf;
  }

  /** Logs a failure; one that was logged before goes to `debug`. */
  say(level: 'warn' | 'error', context: { err: unknown; [name: string]: unknown }, message: string): void {
    const reason = `${message} ${reasonOf(context.err)}`;
    const known = this.#said.has(reason) || this.#said.size >= MAX_SAID;
    if (!known) this.#said.add(reason);
    const hint = this.#hintOf(context.err);
    this.#logger[known ? 'debug' : level](context, hint ? `${message}. ${hint}` : message);
  }

  /** The failure is over. @param message - logged if a failure was logged */
  end(message: string): void {
    if (this.#said.size > 0) this.#logger.info({}, message);
    this.#said.clear();
  }
}
