-- Instead of a foreign key with ON DELETE CASCADE: a statement's events at once, not one by one.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'TRUNCATE' then
    truncate djr.activity;
  else
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  end if;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event by which the activity of events goes with them. Internal.';
