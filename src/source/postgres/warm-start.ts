import { backoff } from '../../lib/backoff.js';
import type { Logger } from '../../lib/logger.js';
import { sleep } from '../../lib/sleep.js';
import { databaseLog } from '../../postgres/database-log.js';
import { isHopeless } from '../../postgres/unreachable.js';
import type { Downstream } from '../../stream/downstream.js';
import type { Feed } from '../../stream/feed.js';
import type { Latest, Store } from './store.js';

export interface WarmStartOptions {
  store: Store;
  feed: Feed;
  logger: Logger;
  downstream: Downstream;
  /** Events from before the start that history has room for. */
  historyEvents: number;
  /** Bytes that those may take. */
  historyBytes: number;
}

/**
 * Begins the stream, with what storage has of the time before in memory for clients that reconnect.
 *
 * @returns what the stream begins with; undefined: it has been told to stop
 * @throws what no retry mends
 */
export async function warmStart(options: WarmStartOptions, stopping: AbortSignal): Promise<Latest | undefined> {
  const latest = await readLatest(options, stopping);
  if (!latest || stopping.aborted) return undefined;
  const { downstream, feed } = options;
  const { status, envelopes, all } = latest;
  const { history } = downstream;
  const oldest = envelopes[0]?.xid ?? status.frontier.xmax;
  // Of the oldest transaction a part may be missing; without room for any event all of it is.
  history.startAt(Math.max(status.prunedXid, all ? 0 : oldest) + 1);
  history.restarted(status.startedAt);
  feed.startAt(status.frontier);
  const remembered = await downstream.remember(envelopes);
  // Of the transaction of the last one that was left out a part may be remembered.
  const left = envelopes[envelopes.length - remembered - 1];
  if (left) history.markIncompleteBefore(left.xid! + 1);
  return latest;
}

/** Tries until PostgreSQL, which was there a moment ago, answers. */
async function readLatest(options: WarmStartOptions, stopping: AbortSignal): Promise<Latest | undefined> {
  const { historyBytes, historyEvents, logger, store } = options;
  const onceLog = databaseLog(logger);
  for (let failures = 1; !stopping.aborted; failures += 1) {
    try {
      return await store.latest(historyEvents, historyBytes);
    } catch (err) {
      if (isHopeless(err)) throw err;
      onceLog.say('error', { err, failures }, 'cannot read the latest events; will try again');
      await sleep(backoff(failures), stopping);
    }
  }
  return undefined;
}
