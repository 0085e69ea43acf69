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
  /** How many events from before the start history has room for. */
  historyEvents: number;
  /** How many bytes those events may take. */
  historyBytes: number;
}

/**
 * Begins the stream: reads the latest stored events into history, for clients that reconnect to this new instance.
 *
 * @returns the status and the events that were read; undefined when the instance was told to stop
 * @throws an error that a retry cannot mend
 */
export async function warmStart(options: WarmStartOptions, stopping: AbortSignal): Promise<Latest | undefined> {
  const latest = await readLatest(options, stopping);
  if (!latest || stopping.aborted) return undefined;
  const { downstream, feed } = options;
  const { status, envelopes, all } = latest;
  const { history } = downstream;
  const oldest = envelopes[0]?.xid ?? status.frontier.xmax;
  // The limit may have cut the oldest transaction in two, so history is complete only from the next one on.
  history.startAt(Math.max(status.prunedXid, all ? 0 : oldest) + 1);
  history.restarted(status.startedAt);
  feed.startAt(status.frontier);
  const remembered = await downstream.remember(envelopes);
  // History had no room for the older events. The newest of those may share its transaction with one that was remembered.
  const left = envelopes[envelopes.length - remembered - 1];
  if (left) history.markIncompleteBefore(left.xid! + 1);
  return latest;
}

/** Reads the latest events, and tries again until PostgreSQL answers: it answered a moment ago. */
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
