/**
 * Counts the commits that wait for NOTIFY's lock. A commit that notifies holds one lock of the whole cluster until it is on
 * disk. Only the number of commits that wait shows that they queue; their rate does not, because the lock itself limits it.
 */
export const WAITERS = `(select pg_catalog.count(*)::pg_catalog.int4
            from pg_catalog.pg_locks
           where not granted and locktype operator(pg_catalog.=) 'object'
             and classid operator(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass
             and objid operator(pg_catalog.=) 0)`;
