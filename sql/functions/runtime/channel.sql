create or replace function djr.channel() returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _channel text := (select settings.channel from djr.settings);
begin
  if _channel is null then
    perform djr._heal_settings();
    _channel := (select settings.channel from djr.settings);
  end if;
  return _channel;
end
$$;

comment on function djr.channel() is
  'The NOTIFY channel, for the server role only. If the row of djr.settings is missing, as after a restore of the schema alone, it is created again.';
