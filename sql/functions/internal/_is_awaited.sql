-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_awaited(
  frontier pg_snapshot,
  upto pg_snapshot,
  last_id bigint,
  xid xid8,
  id bigint
) returns boolean
language sql
immutable
as $$
  select not pg_catalog.pg_visible_in_snapshot(xid, frontier)
    and not coalesce(id operator(pg_catalog.<=) last_id and pg_catalog.pg_visible_in_snapshot(xid, upto), false)
$$;

comment on function djr._is_awaited(pg_snapshot, pg_snapshot, bigint, xid8, bigint) is
  'Whether a consumer at this place has yet to get this event, leaving aside its filters and djr._consumer_done. Internal.';
