import { createHash } from 'node:crypto';
import { Frontier } from '../delivery/frontier.js';

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
  /** The highest transaction id whose event pruning removed. */
  readonly prunedXid: number;
}

/** The columns of a status; nine of them, before those of an event. */
export const STATUS = `
  select pg_current_snapshot()::text as snapshot,
         (extract(epoch from clock_timestamp()) * 1000)::bigint as time,
         (extract(epoch from pg_postmaster_start_time()) * 1000)::bigint as started_at,
         (select last_value from djr.delivery_mode) as mode,
         settings.delivery,
         settings.storage,
         settings.pruned_xid::text,
         settings.channel,
         settings.activity
    from djr.settings`;

export const STATUS_COLUMNS = 9;

/** A row in array mode. */
export type Row = unknown[];

export function readStatus(row: Row, epoch: string): Status {
  const [snapshot, time, startedAt, mode, delivery, storage, prunedXid, channel, activity] = row as [
    string,
    string,
    string,
    string,
    Status['delivery'],
    boolean,
    string | null,
    string,
    Status['activity'],
  ];
  const frontier = Frontier.fromSnapshot(snapshot, epoch, Number(time));
  if (!frontier) throw new Error(`PostgreSQL gave a snapshot that cannot be read: ${snapshot}`);
  return {
    frontier,
    startedAt: Number(startedAt),
    mode: Number(mode) === 2 ? 'sweep' : 'notify',
    delivery,
    storage,
    activity,
    channel,
    prunedXid: Number(prunedXid ?? 0),
  };
}

/** `djr.epoch()` is too long for every frame's id: eight characters tell two epochs apart just as well. */
export const shortEpoch = (epoch: string): string =>
  BigInt(`0x${createHash('sha256').update(epoch).digest('hex').slice(0, 10)}`)
    .toString(36)
    .padStart(8, '0');
