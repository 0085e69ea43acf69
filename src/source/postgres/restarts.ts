import type { Envelope } from '../../event/envelope.js';
import type { Logger } from '../../lib/logger.js';
import { ANSWER_TIMEOUT } from '../../postgres/answer.js';
import { asking } from '../../postgres/ask.js';
import type { Pool } from '../../postgres/connect.js';
import type { Downstream } from '../../stream/downstream.js';
import type { Feed } from '../../stream/feed.js';
import { isRolledBack, readEpoch, renewEpoch } from './epoch.js';
import type { Status } from './status.js';
import type { Store } from './store.js';

export interface RestartsOptions {
  pool: Pool;
  store: Store;
  feed: Feed;
  logger: Logger;
  downstream(): Downstream;
}

/** What an instance has to find out once PostgreSQL was started anew: whether it is the same history of the database still. */
export class Restarts {
  readonly #options: RestartsOptions;
  /** What had been delivered when PostgreSQL was started, until a sweep has succeeded since. */
  readonly #deliveredBefore = new Set<string>();

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /** Whether this very event was delivered before PostgreSQL was started. */
  wasDelivered(envelope: Envelope): boolean {
    return this.#deliveredBefore.has(identityOf(envelope));
  }

  /** A sweep has succeeded: the next one reads nothing from before the restart. */
  forget(): void {
    this.#deliveredBefore.clear();
  }

  async onRestart(status: Status): Promise<void> {
    const { feed, logger, pool, store } = this.#options;
    const downstream = this.#options.downstream();
    const { history } = downstream;
    const client = asking(pool, ANSWER_TIMEOUT);
    let known = await readEpoch(client);
    if (known.short === store.epoch && (await isRolledBack(client, downstream.newest))) {
      known = await renewEpoch(client, known);
    }
    const epoch = known.short;
    for (const { envelope } of history.all()) this.#deliveredBefore.add(identityOf(envelope));
    history.restarted(status.startedAt);
    if (epoch === store.epoch) return;
    store.epoch = epoch;
    history.startAt(Number.POSITIVE_INFINITY);
    // Before anything else is delivered: a frame of the old epoch would be answered with another `reset`.
    await feed.rebase(status.frontier.inEpoch(epoch));
    logger.error({}, 'the database was replaced or restored; every client is told to fetch its state anew');
    downstream.replaced();
  }
}

/** Tells an event from one that has its number in another history of the database. */
const identityOf = ({ id, xid, createdAt }: Envelope): string => `${id} ${xid} ${createdAt}`;
