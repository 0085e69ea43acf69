/**
 * How many commits wait for NOTIFY's lock. A commit that notifies holds a lock of the whole cluster until it is on disk. Those
 * that wait for it are the only sign that commits queue: the rate is none, because the lock itself caps it.
 */
export const WAITERS = `(select pg_catalog.count(*)::pg_catalog.int4
            from pg_catalog.pg_locks
           where not granted and locktype operator(pg_catalog.=) 'object'
             and classid operator(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass
             and objid operator(pg_catalog.=) 0)`;
