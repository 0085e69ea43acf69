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

/** Finds out, after a restart of PostgreSQL, whether the database still has the same history, and tells all clients to reset if not. */
export class Restarts {
  readonly #options: RestartsOptions;
  /** The events that were in the history at the restart, so that they were delivered before; kept until a sweep has succeeded. */
  readonly #deliveredBefore = new Set<string>();

  constructor(options: RestartsOptions) {
    this.#options = options;
  }

  /** Whether this event was in the history at the restart, so that it was delivered before. */
  wasDelivered(envelope: Envelope): boolean {
    return this.#deliveredBefore.has(identityOf(envelope));
  }

  /** A sweep has succeeded, so the next one reads no event from before the restart. */
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
    // Done before any other event is delivered: a client with an id of the old epoch would be told `reset` once more.
    await feed.rebase(status.frontier.inEpoch(epoch));
    logger.error({}, 'the database was replaced or restored; every client is told to fetch its state anew');
    downstream.replaced();
  }
}

/** Tells an event from an event with the same id in another history of the database. */
const identityOf = ({ id, xid, createdAt }: Envelope): string => `${id} ${xid} ${createdAt}`;
