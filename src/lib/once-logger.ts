import type { Logger } from './logger.js';

/** What to do about an error, where its message alone does not say. By SQLSTATE. */
const HINTS: Record<string, string> = {
  '42501': " As the schema's owner: select djr.grant_server(ROLE)",
  '57014':
    " Either somebody holds a lock for long, or the role's statement_timeout is too short: alter role ROLE set statement_timeout = '30s'",
};

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

const reasonOf = (error: unknown): string => codeOf(error) ?? (error instanceof Error ? error.message : String(error));

/** Things that are wrong at a time and told apart: where texts differ each time, no more are remembered. */
const MAX_SAID = 100;

/** Says each thing that is wrong once until it is right again: an outage may take hours, with a failure every second. */
export class OnceLogger {
  readonly #logger: Logger;
  readonly #said = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What was said before is for `debug`. */
  say(level: 'warn' | 'error', context: { err: unknown; [name: string]: unknown }, message: string): void {
    const reason = `${message} ${reasonOf(context.err)}`;
    const known = this.#said.has(reason) || this.#said.size >= MAX_SAID;
    if (!known) this.#said.add(reason);
    const hint = HINTS[codeOf(context.err) ?? ''];
    this.#logger[known ? 'debug' : level](context, hint ? `${message}.${hint}` : message);
  }

  /** It works. @param message - for whoever read that it did not */
  end(message: string): void {
    if (this.#said.size > 0) this.#logger.info({}, message);
    this.#said.clear();
  }
}
