import { createHash } from 'node:crypto';
import { Frontier } from '../../event/frontier.js';

/** The state of the database that every sweep reads in the same snapshot as the events. */
export interface Status {
  /** The snapshot of the statement. */
  readonly frontier: Frontier;
  /** When PostgreSQL was started, milliseconds since 1970. */
  readonly startedAt: number;
  readonly mode: 'notify' | 'sweep';
  readonly delivery: 'auto' | 'notify' | 'sweep';
  readonly storage: boolean;
  readonly activity: 'off' | 'summary' | 'full';
  readonly channel: string;
  /** The highest transaction of which events were deleted, or that switched storage on again. */
  readonly prunedXid: number;
  /** The part of the epoch that a runtime changes when it notices that the storage was rolled back to a snapshot. */
  readonly generation: string | null;
  /** How many events with `store => false` were dropped, in all. */
  readonly dropped: number;
  /** The most bytes that the message of a stored event can have, now or by an earlier value of the setting. */
  readonly largest: number;
}

/** Selects the status as one text, so that the rows of events need only one more column for it. */
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

/** `djr.epoch()` is too long for the id of every frame; eight characters of a hash tell two epochs apart just as well. */
export const shortEpoch = (epoch: string): string =>
  BigInt(`0x${createHash('sha256').update(epoch).digest('hex').slice(0, 10)}`)
    .toString(36)
    .padStart(8, '0');
