import type { Client } from '../../clients/client.js';
import type { Hub } from '../../clients/hub.js';
import { resetFrame } from '../../event/frame.js';
import type { Item } from '../../event/item.js';
import { parsePosition } from '../../event/position.js';
import { Histogram } from '../../lib/histogram.js';
import type { Meter } from '../../lib/meter.js';
import type { History } from '../history.js';
import type { Hooks } from '../hooks.js';
import { type ResumeFrom, type ResumeTools, Resumption } from './resumption.js';
import { Sender } from './sender.js';
import type { ResumeSource } from './source.js';
import { StorageReader } from './storage-reader.js';

export type { ResumeFrom } from './resumption.js';

export interface ResumeOptions {
  history: History;
  hub: Hub;
  source: ResumeSource;
  /** Events from storage pass `onReceive` as well, as an event that it stopped must not reach a client by a resume. */
  hooks: Pick<Hooks, 'receive'>;
  /** How many events a resume may read from storage for one client; with more the client is told `reset`. */
  limit: number;
}

/**
 * Where the events came from that a client missed. `memory`: from this instance's history, after the sequence number in the client's id.
 * `history`: from this instance's history, by the frontier in the id, as the client was on another instance. `storage`: from the database.
 * `reset`: they could not be had.
 */
export type ResumeOrigin = 'memory' | 'history' | 'storage' | 'reset';

const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/**
 * Resumes clients that reconnect: sends each the events that it missed, and then lets it join the live stream. Events that are delivered
 * meanwhile wait in the history.
 */
export class Resume {
  readonly #options: ResumeOptions;
  readonly #sender = new Sender();
  readonly #storage: StorageReader;
  readonly #seconds: Readonly<Record<ResumeOrigin, Histogram>> = {
    memory: new Histogram(BUCKETS),
    history: new Histogram(BUCKETS),
    storage: new Histogram(BUCKETS),
    reset: new Histogram(BUCKETS),
  };

  #behind = 0;

  constructor(options: ResumeOptions) {
    this.#options = options;
    this.#storage = new StorageReader({ ...options, sender: this.#sender });
  }

  /** Resolves when the client is live or gone. */
  async run(client: Client, from: ResumeFrom): Promise<void> {
    const began = performance.now();
    const origin = await new Resumption(client, from, this.#tools).run();
    if (typeof origin === 'object') this.reset(client, origin.reset, performance.now() - began);
    else if (!client.closed) this.#seconds[origin].observe((performance.now() - began) / 1000);
  }

  /**
   * A client that was live had too many bytes waiting to take this item, which is large or came together with a large one. From this item
   * on it gets events as a client that resumes does. Resolves when it is live again, or gone.
   */
  async behind(client: Client, item: Item): Promise<void> {
    const last = parsePosition(`0-${item.before}`);
    if (!last) throw new Error('an id of this instance cannot be read');
    this.#behind += 1;
    const origin = await new Resumption(client, { last, position: item.before }, this.#tools).run();
    if (typeof origin === 'object') this.reset(client, origin.reset);
  }

  get #tools(): ResumeTools {
    return { ...this.#options, sender: this.#sender, storage: this.#storage };
  }

  /** Missed events can no longer be had: the client is told `reset` with the reason, and joins the live stream. */
  reset(client: Client, reason: string, milliseconds = 0): void {
    client.write(resetFrame(reason, this.#options.source.position));
    this.#options.hub.join(client);
    this.#seconds.reset.observe(milliseconds / 1000);
  }

  metrics(meter: Meter): void {
    meter.counter(
      'djr_fell_behind_total',
      'Times that large events came faster than a client read: it got them at its own pace',
      () => this.#behind,
    );
    meter.histograms(
      'djr_resume_duration_seconds',
      'From the request of a client that reconnects to its stream being live, by where what it missed came from',
      'source',
      this.#seconds,
    );
  }
}
