import type { Logger } from '../../lib/logger.js';

/** How many events are logged at most. */
const MAX_TOLD = 100;

/** Logs once for each event that cannot be read that it is not delivered. Every sweep finds the same event again. */
export class UnreadableEvents {
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell(id: string): void {
    if (this.#told.has(id) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(id);
    const message =
      'an event cannot be read and is not delivered: its id or its time is out of range. Delete it by hand';
    this.#logger.error({ event: id }, message);
  }
}
