import type { Envelope } from '../../event/envelope.js';
import type { Queryable } from '../../postgres/connect.js';
import { select } from '../../postgres/select.js';
import { shortEpoch } from './status.js';

/** The epoch names the history of the database: it changes when the database was replaced, restored or rolled back. */
export interface Epoch {
  /** The text of `djr.epoch()`. */
  readonly whole: string;
  /** The short form in frames' ids. */
  readonly short: string;
}

const toEpoch = (whole: string): Epoch => ({ whole, short: shortEpoch(whole) });

export async function readEpoch(client: Queryable): Promise<Epoch> {
  const [row] = await select<{ epoch: string }>(client, 'select djr.epoch() as epoch');
  return toEpoch(row!.epoch);
}

/**
 * Whether the database has lost events that were delivered: its storage was rolled back to a snapshot, or a crash has undone a commit
 * that was not on disk. PostgreSQL's timeline does not change then, and the same event ids and transaction ids are used again.
 *
 * @param newest - the stored event that was delivered last
 */
export async function isRolledBack(client: Queryable, newest: Envelope | undefined): Promise<boolean> {
  if (newest === undefined) return false;
  const [row] = await select<{ there: boolean }>(
    client,
    `select exists (
              select
              from djr.event
              where event.id operator(pg_catalog.=) $1::pg_catalog.int8 and event.xid operator(pg_catalog.=) $2::pg_catalog.xid8
                and pg_catalog.trunc(extract(epoch from event.created_at) operator(pg_catalog.*) 1000::pg_catalog.numeric) operator(pg_catalog.=) $3::pg_catalog.numeric
            )
            or exists (select from djr.settings where settings.pruned_xid operator(pg_catalog.>=) $2::pg_catalog.xid8)
            or not exists (select from djr.settings where settings.storage) as there`,
    [newest.id, String(newest.xid), newest.createdAt],
  );
  return !row!.there;
}

/**
 * Begins a new epoch, unless another instance has noticed the loss first and has begun one.
 *
 * @param known - the epoch that was read before the loss was noticed; one that is read now may already be the other instance's
 */
export async function renewEpoch(client: Queryable, known: Epoch): Promise<Epoch> {
  const statement = 'select djr.renew_epoch($1::pg_catalog.text) as epoch';
  const [row] = await select<{ epoch: string }>(client, statement, [known.whole]);
  return toEpoch(row!.epoch);
}
