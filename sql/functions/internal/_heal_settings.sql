-- A dump of the schema alone (pg_dump -s, structure.sql) has the table of the settings without its row. Callers call this only after
-- they did not find the row, so it costs nothing otherwise.
create or replace function djr._heal_settings() returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into djr.settings default values
  on conflict do nothing;
end
$$;

comment on function djr._heal_settings() is
  'Puts the row of djr.settings back, with every setting at its default, where it is missing. Internal.';
