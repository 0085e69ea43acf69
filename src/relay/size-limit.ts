import type { Envelope } from '../event/envelope.js';
import type { Logger } from '../lib/logger.js';

/** What is too large for the engine: it takes no message beyond its bound, and all behind that one would wait for ever. */
export class SizeLimit {
  /** Events that were too large. */
  count = 0;
  readonly #logger: Logger;
  readonly #maxBytes: () => number;

  constructor(logger: Logger, maxBytes: () => number) {
    this.#logger = logger;
    this.#maxBytes = maxBytes;
  }

  /** Counts and says where not: `djr_relay_too_large_total`. */
  fits({ id }: Envelope, line: string): boolean {
    const limit = this.#maxBytes();
    const bytes = Buffer.byteLength(line);
    if (bytes <= limit) return true;
    this.count += 1;
    const level = this.count === 1 ? 'error' : 'debug';
    const message =
      "an event is larger than the relay takes, and does not reach edges: raise nats-server's max_payload";
    this.#logger[level]({ event: id, bytes, limit }, message);
    return false;
  }
}
