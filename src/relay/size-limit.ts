import type { Envelope } from '../event/envelope.js';
import { LogLimit } from '../lib/log-limit.js';
import type { Logger } from '../lib/logger.js';

/** Finds events that are too large for the engine, which takes no larger message: all messages behind one would wait for ever. */
export class SizeLimit {
  /** Events that were too large. */
  count = 0;
  readonly #log: LogLimit;
  readonly #maxBytes: () => number;

  constructor(logger: Logger, maxBytes: () => number) {
    this.#log = new LogLimit(logger);
    this.#maxBytes = maxBytes;
  }

  /** Whether an event fits. One that does not is logged and counted: `djr_relay_too_large_total`. */
  fits({ id }: Envelope, line: string): boolean {
    const limit = this.#maxBytes();
    const bytes = Buffer.byteLength(line);
    if (bytes <= limit) return true;
    this.count += 1;
    const message =
      "an event is larger than the relay takes, and does not reach edges: raise nats-server's max_payload";
    this.#log.say('error', 'too large', { event: id, bytes, limit }, message);
    return false;
  }
}
