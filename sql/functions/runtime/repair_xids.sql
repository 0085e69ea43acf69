-- A dump restored into a younger cluster brings transaction ids that lie in the future. Left alone, every sweep would
-- find those rows new. A committed row of this cluster is never concerned: what a snapshot sees is below its xmax.
create or replace function djr.repair_xids() returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _repaired bigint;
begin
  -- Instances start at once: one repairs, and the others wait for it, instead of each for rows of another.
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
  'After a restore into another cluster: sets transaction ids that lie in the future to the oldest there is, and returns of how many events. The runtime calls it when it starts.';
