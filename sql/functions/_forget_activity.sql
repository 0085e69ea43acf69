-- Instead of a foreign key with ON DELETE CASCADE: a statement's events at once, not one by one.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  -- Where the statement names both tables it is empty by now, and may not be truncated within the statement.
  elsif exists (select from djr.activity) then
    truncate djr.activity;
  end if;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event by which the activity of events goes with them. Internal.';
