import type pg from 'pg';
import { DjrError } from '../lib/errors.js';
import { TYPES } from '../postgres/types.js';

type Client = Pick<pg.ClientBase, 'query'>;

/** A table of djr with row security, and whether that affects djr: the role that asks, or the owner as which djr's functions run. */
export interface SecuredTable {
  name: string;
  /** Whether rows are hidden from this session, or from djr's own functions, which run as the owner. */
  active: boolean;
}

export async function securedTables(client: Client): Promise<SecuredTable[]> {
  const { rows } = await client.query<SecuredTable>({
    text: `select class.relname::pg_catalog.text as name,
                  pg_catalog.row_security_active(class.oid) or (
                    class.relforcerowsecurity and not owner.rolsuper and not owner.rolbypassrls
                  ) as active
             from pg_catalog.pg_class class join pg_catalog.pg_roles owner on owner.oid operator(pg_catalog.=) class.relowner
            where class.relnamespace operator(pg_catalog.=) pg_catalog.to_regnamespace('djr')::pg_catalog.oid and class.relrowsecurity
            order by class.relname`,
    types: TYPES,
  });
  return rows;
}

export const disableRowSecurity = (name: string): string => `alter table djr.${name} disable row level security;`;

/**
 * Refuses a database with row security on djr's tables. A policy hides rows without any error: events would be delivered when they come,
 * and be missing in every resume. Grants decide who may read what of djr.
 *
 * @throws {@link DjrError} `DJR_ROW_SECURITY`
 */
export async function refuseRowSecurity(client: Client): Promise<void> {
  const table = (await securedTables(client)).find(({ active }) => active);
  if (!table) return;
  throw new DjrError('DJR_ROW_SECURITY', `Row security must be off for djr.${table.name}, and it hides rows there.`, {
    hint: `As the owner: ${disableRowSecurity(table.name)} Who may read what, djr.grant_server and djr.grant_publish say.`,
  });
}
