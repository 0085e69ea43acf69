-- A snapshot does not list the transaction that takes it. Here that transaction is added to those in progress: otherwise an event
-- that it publishes after its own djr.consume would count as consumed and be skipped.
create or replace function djr._consumer_snapshot() returns pg_snapshot
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _now pg_snapshot := pg_current_snapshot();
  _own xid8 := pg_current_xact_id_if_assigned();
begin
  if _own is null or not pg_visible_in_snapshot(_own, _now) then
    return _now;
  end if;
  return djr._without(_now, _own);
end
$$;

comment on function djr._consumer_snapshot() is
  'The current snapshot with the calling transaction among those in progress. Internal.';
