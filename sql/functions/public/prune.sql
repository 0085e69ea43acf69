create or replace function djr.prune(older_than interval default null) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _pruned bigint := 0;
  _batch bigint;
begin
  loop
    _batch := djr.prune_batch(prune.older_than, 5000);
    _pruned := _pruned + _batch;
    exit when _batch = 0;
  end loop;
  return _pruned;
end
$$;

comment on function djr.prune(interval) is
  'Deletes all events past the retention (or older than the argument), in the caller''s transaction, and returns how many. For many events use djr.prune_batch, or the command djr prune.';
