import { createHash } from 'node:crypto';
import { Frontier } from '../../event/frontier.js';

/** What every sweep reads beside the events, in the same snapshot. */
export interface Status {
  /** Here the snapshot that the statement saw. */
  readonly frontier: Frontier;
  /** Milliseconds since 1970 at which PostgreSQL was started. */
  readonly startedAt: number;
  readonly mode: 'notify' | 'sweep';
  readonly delivery: 'auto' | 'notify' | 'sweep';
  readonly storage: boolean;
  readonly activity: 'off' | 'summary' | 'full';
  readonly channel: string;
  /** The highest transaction of which pruning removed an event, or that switched storage on again. */
  readonly prunedXid: number;
  /** The part of the epoch that a runtime sets when it notices a snapshot that was rolled back. */
  readonly generation: string | null;
  /** Events with `store => false` that were dropped, in all. */
  readonly dropped: number;
  /** Bytes that the message of a stored event may have, or might have had. */
  readonly largest: number;
}

/** A status as one text: a row of events has no room for nine columns that say the same in each. */
export const STATUS = `
  select pg_catalog.json_build_array(
           pg_catalog.pg_current_snapshot(),
           pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000)::bigint,
           (extract(epoch from pg_catalog.pg_postmaster_start_time()) operator(pg_catalog.*) 1000)::bigint,
           pg_catalog.pg_sequence_last_value('djr.delivery_mode'),
           delivery, storage, pruned_xid::pg_catalog.text, channel, activity, generation,
           pg_catalog.pg_sequence_last_value('djr.unstored_dropped'), greatest(max_bytes, largest_bytes)
         )::pg_catalog.text as status
    from djr.settings`;

export function readStatus(text: string, epoch: string): Status {
  const [
    snapshot,
    time,
    startedAt,
    mode,
    delivery,
    storage,
    prunedXid,
    channel,
    activity,
    generation,
    dropped,
    largest,
  ] = JSON.parse(text) as [
    string,
    number,
    number,
    number | null,
    Status['delivery'],
    boolean,
    string | null,
    string,
    Status['activity'],
    string | null,
    number | null,
    number,
  ];
  const frontier = Frontier.fromSnapshot(snapshot, epoch, time);
  if (!frontier) throw new Error(`PostgreSQL gave a snapshot that cannot be read: ${snapshot}`);
  return {
    frontier,
    startedAt,
    mode: mode === 2 ? 'sweep' : 'notify',
    delivery,
    storage,
    activity,
    channel,
    prunedXid: Number(prunedXid ?? 0),
    generation,
    dropped: dropped ?? 0,
    largest,
  };
}

/** `djr.epoch()` is too long for every frame's id: eight characters tell two epochs apart just as well. */
export const shortEpoch = (epoch: string): string =>
  BigInt(`0x${createHash('sha256').update(epoch).digest('hex').slice(0, 10)}`)
    .toString(36)
    .padStart(8, '0');
