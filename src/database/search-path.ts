/**
 * Names that a statement does not qualify are looked up in `pg_catalog` from here to the end of the transaction, so that
 * nothing of whoever may create in a schema on the role's path is called. `pg_temp` comes last, else it would come first.
 * A query of several statements is one transaction, through a pooler too.
 */
export const PINNED = 'set local search_path = pg_catalog, pg_temp;';

/**
 * The same for SQL that somebody else runs, in a transaction or without one, by whatever tool: the path is as it was
 * behind it, for what the tool itself says next.
 */
export const withPinnedPath = (
  sql: string,
): string => `select pg_catalog.set_config('djr.search_path', pg_catalog.current_setting('search_path'), false);
set search_path = pg_catalog, pg_temp;

${sql.trim()}

select pg_catalog.set_config('search_path', pg_catalog.current_setting('djr.search_path'), false);
`;
