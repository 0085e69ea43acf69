/**
 * Names that a statement does not qualify are looked up in `pg_catalog` from here to the end of the transaction, so that
 * nothing of whoever may create in a schema on the role's path is called. `pg_temp` comes last, else it would come first.
 * A query of several statements is one transaction, through a pooler too.
 */
export const PINNED = 'set local search_path = pg_catalog, pg_temp;';
