import { type Acknowledgement, Acknowledger } from '../../activity/acknowledger.js';
import type { Step } from '../../activity/counter.js';
import { recordActivity } from '../../activity/recorder.js';
import type { PresenceStore } from '../../clients/topics/presence.js';
import { presenceStore, type TopicStore, topicStore } from '../../clients/topics/topic-store.js';
import { InstanceRow } from '../../instance/instance-row.js';
import type { Reading } from '../../instance/series.js';
import type { Pool } from '../../postgres/connect.js';

/** What an instance reads from the database and writes to it beside events: topics, presence, activity and its own row. */
export class Records {
  readonly topics: TopicStore;
  readonly presence: PresenceStore;
  protected readonly acknowledger: Acknowledger;
  readonly #pool: Pool;
  readonly #instance: string;
  readonly #row: InstanceRow;

  /** @param timeout - milliseconds that a question about topics may take */
  constructor(pool: Pool, instance: string, timeout: number) {
    this.#pool = pool;
    this.#instance = instance;
    this.topics = topicStore(() => pool, timeout);
    this.presence = presenceStore(() => pool, instance);
    this.acknowledger = new Acknowledger(pool, instance);
    this.#row = new InstanceRow(pool, instance);
  }

  acknowledge(acknowledgements: readonly Acknowledgement[]): Promise<boolean[]> {
    return this.acknowledger.acknowledge(acknowledgements);
  }

  get hasConsumers(): boolean {
    return this.#row.hasConsumers;
  }

  record(steps: readonly Step[]): Promise<number> {
    return recordActivity(this.#pool, this.#instance, steps);
  }

  ping(): Promise<number> {
    return this.#row.queueUsage();
  }

  report(reading: Reading): Promise<void> {
    return this.#row.write(reading);
  }

  withdraw(): Promise<void> {
    return this.#row.remove();
  }

  /** Resolves when what was acknowledged has been stored. */
  close(): Promise<void> {
    return this.acknowledger.stop();
  }
}
