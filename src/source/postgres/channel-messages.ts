import { decodeMessage, type Envelope } from '../../event/envelope.js';
import type { Logger } from '../../lib/logger.js';
import type { Meter } from '../../lib/meter.js';

export interface ChannelMessagesOptions {
  logger: Logger;
  /** Whether anybody wants to know who hears what. */
  presence: boolean;
  onEvents(envelopes: readonly Envelope[]): void;
  /** Who hears these topics has changed; null: more than a message names. */
  onPresence(topics: readonly string[] | null): void;
}

/** What `djr.report_presence` notifies; PostgreSQL's json_build_object writes a space before the colon. */
const PRESENCE = /^\{"presence"\s*:/;

/** Reads the messages on djr's channel. Whoever can send to it may send anything. */
export class ChannelMessages {
  readonly #options: ChannelMessagesOptions;
  /** Messages that could not be read. */
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
