-- A dump that is restored into a younger cluster brings transaction ids that lie in the future, and every sweep would find those rows
-- new. Rows that this cluster committed are never changed: a row that a snapshot sees has a transaction id below the snapshot's xmax.
create or replace function djr.repair_xids() returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _repaired bigint;
begin
  -- Several instances may start at the same time. One of them repairs while the others wait for it, so that they do not wait for each
  -- other's rows.
  if exists (select from djr.event where event.xid >= pg_snapshot_xmax(pg_current_snapshot())) then
    perform from djr.settings for no key update;
  end if;

  update djr.event
  set xid = '3'
  where event.xid >= pg_snapshot_xmax(pg_current_snapshot());
  get diagnostics _repaired = row_count;

  update djr.settings
  set pruned_xid = '3'
  where settings.pruned_xid >= pg_snapshot_xmax(pg_current_snapshot());
  return _repaired;
end
$$;

comment on function djr.repair_xids() is
  'Repairs events after a restore into another cluster: sets transaction ids that lie in the future to the oldest possible one, and returns how many events it changed. The runtime calls it when it starts.';
