-- This replaces a foreign key with ON DELETE CASCADE, which would delete row by row. It also records the deletion in the settings, in
-- the same transaction, whether djr.prune or a person deletes: a client that resumes from before the deletion is then told to reset.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _highest xid8;
  _last bigint;
begin
  if tg_op = 'DELETE' then
    -- max(xid8) exists from PostgreSQL 15 on.
    select _old.xid into _highest from _old order by _old.xid desc limit 1;
    if not found then
      return null;
    end if;
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  -- If one TRUNCATE names both tables, this one is empty by now, and PostgreSQL refuses to truncate it again within the statement.
  else
    _highest := pg_current_xact_id();
    if exists (select from djr.activity) then
      truncate djr.activity;
    end if;
    -- Instances and browsers take an event whose id they have had for a repeat, so ids go on even after `restart identity`.
    _last := coalesce(nullif(current_setting('djr.last_event_id', true), '')::bigint, 0);
    if _last > coalesce(pg_sequence_last_value('djr.event_id_seq'), 0) then
      perform setval('djr.event_id_seq', _last);
    end if;
  end if;
  insert into djr.settings (pruned_xid) values (_highest)
  on conflict (one_row) do update set pruned_xid = excluded.pruned_xid
  where settings.pruned_xid is null or settings.pruned_xid < excluded.pruned_xid;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event that deletes the activity of deleted events, and records in djr.settings.pruned_xid that they are gone. Internal.';
