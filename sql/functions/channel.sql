create or replace function djr.channel() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select settings.channel from djr.settings);
end
$$;

comment on function djr.channel() is
  'The NOTIFY channel, for the server role only.';
