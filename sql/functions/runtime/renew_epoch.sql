-- Compares and sets under the lock of the row: if many runtimes notice at once, only one of them makes the new epoch.
create or replace function djr.renew_epoch(epoch text) returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from djr.settings for update;
  if djr.epoch() = renew_epoch.epoch then
    update djr.settings
    set generation = replace(gen_random_uuid()::text, '-', '');
  end if;
  return djr.epoch();
end
$$;

comment on function djr.renew_epoch(text) is
  'Begins a new epoch, unless another runtime has begun one since the epoch in the argument, and returns the current epoch. Every client is then told to reset. The runtime calls it when events that it delivered are gone after a restart of PostgreSQL.';
