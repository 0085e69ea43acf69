import type { Logger } from './logger.js';

/** Milliseconds within which one kind of message is logged only once. */
const PERIOD = 10_000;

/** Up to so many kinds are told apart; all further ones count as one kind. */
const MAX_KINDS = 1000;
const OTHERS = '';

interface Kind {
  /** `performance.now()` of the last line. */
  logged: number;
  suppressed: number;
}

/**
 * Logs messages that may come thousands of times a second. The first message of a kind is logged at once, then one in ten seconds, which
 * says how many of its kind were left out.
 */
export class LogLimit {
  readonly #logger: Logger;
  readonly #kinds = new Map<string, Kind>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  say(level: 'warn' | 'error', kind: string, context: object, message: string): void {
    const name = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : OTHERS;
    const known = this.#kinds.get(name);
    const now = performance.now();
    if (known && now - known.logged < PERIOD) {
      known.suppressed += 1;
      return;
    }
    const suppressed = known?.suppressed ?? 0;
    this.#kinds.set(name, { logged: now, suppressed: 0 });
    if (suppressed === 0) this.#logger[level](context, message);
    else this.#logger[level]({ ...context, suppressed }, `${message}; ${suppressed} more of this kind were not logged`);
  }
}
