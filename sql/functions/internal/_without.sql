create or replace function djr._without(snapshot pg_snapshot, xid xid8) returns pg_snapshot
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    '%s:%s:%s',
    least(pg_snapshot_xmin(_without.snapshot), _without.xid),
    pg_snapshot_xmax(_without.snapshot),
    (
      select string_agg(listed.xid::text, ',' order by listed.xid)
      from (
        select pg_snapshot_xip(_without.snapshot) as xid
        union
        select _without.xid
      ) listed
    )
  )::pg_snapshot
$$;

comment on function djr._without(pg_snapshot, xid8) is
  'The snapshot with this transaction, which must be below its xmax, among those in progress. Internal.';
