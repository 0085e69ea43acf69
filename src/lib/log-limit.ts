import type { Logger } from './logger.js';

/** Milliseconds in which one kind of message is logged once. */
const PERIOD = 10_000;

/** Kinds that are told apart; all further ones count as one. */
const MAX_KINDS = 1000;
const OTHERS = '';

interface Kind {
  /** `performance.now()` of the last line. */
  logged: number;
  suppressed: number;
}

/**
 * Logs what may come thousands of times a second: of each kind the first at once, then one in ten seconds, which says how
 * many of its kind were not logged since the last.
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
