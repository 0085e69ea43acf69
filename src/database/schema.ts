import type pg from 'pg';
import { DjrError } from '../errors.js';
import { schemaVersion } from './migrate.js';

/**
 * Refuses a database that lacks what this version of djr works with, or that cannot notify.
 *
 * @throws {@link DjrError} `DJR_SCHEMA` when the schema is missing or older, `DJR_STANDBY` on a read-only standby
 */
export async function requireSchema(client: Pick<pg.Client, 'query'>): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  if (rows[0]!.standby) {
    throw new DjrError('DJR_STANDBY', 'This PostgreSQL is a standby, and NOTIFY works on the primary only.', {
      hint: 'Give the address of the primary, or a name that always leads to it.',
    });
  }
  const { installed, expected } = await schemaVersion(client);
  if (installed === null) {
    throw new DjrError('DJR_SCHEMA', 'This database has no schema djr.', { hint: 'Run `djr migrate` first.' });
  }
  if (installed < expected) {
    throw new DjrError('DJR_SCHEMA', `The schema djr is at ${installed}, and this version of djr needs ${expected}.`, {
      hint: 'Run `djr migrate` first.',
    });
  }
}
