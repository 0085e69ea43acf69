create or replace function djr.forget_instance(name text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
begin
  delete from djr.presence
  where presence.instance = forget_instance.name;
  if found then
    -- The users of this instance are gone, so the other instances are told to read presence again.
    perform pg_notify(settings.channel, '{"presence":null}') from djr.settings;
  end if;
  delete from djr.instance
  where instance.name = forget_instance.name;
  return found;
end
$$;

comment on function djr.forget_instance(text) is
  'Removes a runtime''s row of djr.instance, and returns whether there was one. The runtime calls it when it stops.';
