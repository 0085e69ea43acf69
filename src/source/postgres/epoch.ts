import type { Envelope } from '../../event/envelope.js';
import type { Queryable } from '../../postgres/connect.js';
import { select } from '../../postgres/select.js';
import { shortEpoch } from './status.js';

/** Which history of the database it is. */
export interface Epoch {
  /** As PostgreSQL says it. */
  readonly whole: string;
  /** As frames' ids say it. */
  readonly short: string;
}

const toEpoch = (whole: string): Epoch => ({ whole, short: shortEpoch(whole) });

export async function readEpoch(client: Queryable): Promise<Epoch> {
  const [row] = await select<{ epoch: string }>(client, 'select djr.epoch() as epoch');
  return toEpoch(row!.epoch);
}

/**
 * Whether the data are older than what was delivered: a storage snapshot was rolled back, or a crash has undone a commit
 * that was not on disk. The timeline says nothing of it, and ids and transactions come again.
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
 * Begins another epoch, unless another instance has noticed first.
 *
 * @param known - what was read before the events were missed: one that is read only now may be the other instance's
 */
export async function renewEpoch(client: Queryable, known: Epoch): Promise<Epoch> {
  const statement = 'select djr.renew_epoch($1::pg_catalog.text) as epoch';
  const [row] = await select<{ epoch: string }>(client, statement, [known.whole]);
  return toEpoch(row!.epoch);
}
