import type pg from 'pg';
import { DjrError } from '../lib/errors.js';
import { TYPES } from '../postgres/types.js';
import { refuseRowSecurity } from './row-security.js';
import { schemaVersion } from './schema-version.js';

/**
 * Refuses a database that lacks something which this version of djr needs, or that cannot notify.
 *
 * @throws {@link DjrError} `DJR_SCHEMA` if the schema is missing or older, `DJR_STANDBY` on a read-only standby, `DJR_ROW_SECURITY` if
 * policies hide rows of djr
 */
export async function requireSchema(client: Pick<pg.Client, 'query'>): Promise<void> {
  const { rows } = await client.query<{ standby: boolean; there: boolean }>({
    text: "select pg_catalog.pg_is_in_recovery() as standby, pg_catalog.to_regclass('djr.event') is not null as there",
    types: TYPES,
  });
  const { standby, there } = rows[0]!;
  if (standby) {
    throw new DjrError('DJR_STANDBY', 'This PostgreSQL is a standby, and NOTIFY works on the primary only.', {
      hint: 'Give the address of the primary, or a name that always leads to it.',
    });
  }
  const { installed, expected } = await schemaVersion(client);
  if (installed === null && there) {
    throw new DjrError('DJR_SCHEMA', 'The schema djr is there, and the rows that say which version it is are not.', {
      detail: 'So it is after a restore of the schema alone: pg_dump -s, structure.sql.',
      hint: 'Run `djr migrate`: it puts them back.',
    });
  }
  if (installed === null) {
    throw new DjrError('DJR_SCHEMA', 'This database has no schema djr.', { hint: 'Run `djr migrate` first.' });
  }
  if (installed < expected) {
    throw new DjrError('DJR_SCHEMA', `The schema djr is at ${installed}, and this version of djr needs ${expected}.`, {
      hint: 'Run `djr migrate` first.',
    });
  }
  await refuseRowSecurity(client);
}
