import { decodeMessage, type Envelope } from '../../event/envelope.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';

export interface ChannelMessagesOptions {
  logger: Logger;
  /** Whether the option `presence` is on. */
  presence: boolean;
  onEvents(envelopes: readonly Envelope[]): void;
  /** The users of these topics have changed; null: too many topics to be named in a message. */
  onPresence(topics: readonly string[] | null): void;
}

/** How a message of `djr.report_presence` begins. PostgreSQL's json_build_object writes a space before the colon. */
const PRESENCE = /^\{"presence"\s*:/;

/** Reads the messages on djr's channel. Any role that knows the channel can send to it, so a message may be anything. */
export class ChannelMessages {
  readonly #options: ChannelMessagesOptions;
  /** How many messages could not be read. */
  garbage = 0;

  constructor(options: ChannelMessagesOptions) {
    this.#options = options;
  }

  read(payload: string): void {
    const { onEvents, onPresence, presence } = this.#options;
    const isPresence = PRESENCE.test(payload);
    if (isPresence && !presence) return;
    let topics: string[] | null = null;
    let envelopes: Envelope[] = [];
    try {
      if (isPresence) topics = topicsOf(payload);
      else envelopes = decodeMessage(payload);
    } catch (err) {
      this.garbage += 1;
      const context = { err, count: this.garbage };
      this.#options.logger.warn(context, 'dropped a message on the channel that is not ours');
      return;
    }
    if (isPresence) onPresence(topics);
    else onEvents(envelopes);
  }

  metrics(meter: Meter): void {
    meter.counter('djr_garbage_total', 'Messages on the channel that could not be read', () => this.garbage);
  }
}

function topicsOf(payload: string): string[] | null {
  const { presence } = JSON.parse(payload) as { presence: unknown };
  return Array.isArray(presence) ? presence.filter((topic) => typeof topic === 'string') : null;
}
