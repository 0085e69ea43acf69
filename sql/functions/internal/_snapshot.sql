-- A snapshot does not list the transaction that takes it, and once later ones have ended it seems to have ended, too. Here it is added
-- to those in progress: otherwise an event that it publishes after its own djr.position or djr.consume would count as seen, and a seal
-- that it made before its own djr.recheck would stay valid.
create or replace function djr._snapshot() returns pg_snapshot
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

comment on function djr._snapshot() is
  'The current snapshot with the calling transaction among those in progress. Internal.';
