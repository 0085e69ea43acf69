-- Instead of a foreign key with ON DELETE CASCADE: a statement's events at once, not one by one. And whoever deletes events, by
-- djr.prune or by hand: in the same transaction the settings say so, by which a resume from before is told to reset.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _highest xid8;
begin
  if tg_op = 'DELETE' then
    -- max(xid8) is of PostgreSQL 15.
    select _old.xid into _highest from _old order by _old.xid desc limit 1;
    if not found then
      return null;
    end if;
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  -- Where the statement names both tables it is empty by now, and may not be truncated within the statement.
  else
    _highest := pg_current_xact_id();
    if exists (select from djr.activity) then
      truncate djr.activity;
    end if;
  end if;
  insert into djr.settings (pruned_xid) values (_highest)
  on conflict (one_row) do update set pruned_xid = excluded.pruned_xid
  where settings.pruned_xid is null or settings.pruned_xid < excluded.pruned_xid;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event by which the activity of events goes with them, and djr.settings.pruned_xid tells that they are gone. Internal.';
