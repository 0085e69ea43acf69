/**
 * From here to the end of the transaction, names that a statement does not qualify are looked up in `pg_catalog`, so that no object of a
 * role which may create in a schema on the path is called. `pg_temp` is named last, as it would otherwise be searched first. A query of
 * several statements is one transaction, through a pooler as well.
 */
export const PINNED = 'set local search_path = pg_catalog, pg_temp;';
