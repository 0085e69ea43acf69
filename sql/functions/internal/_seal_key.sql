create or replace function djr._seal_key(valid interval) returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
begin
  -- If two transactions need the first key at the same time, one of them waits here and then finds the key of the other.
  lock table djr.seal_key in share row exclusive mode;
  update djr.seal_key
  set longest = greatest(seal_key.longest, _seal_key.valid)
  where seal_key.newest
  returning * into _key;
  if not found then
    _key := djr._new_seal_key();
    update djr.seal_key
    set longest = greatest(seal_key.longest, _seal_key.valid)
    where seal_key.newest;
  end if;
  return _key;
end
$$;

comment on function djr._seal_key(interval) is
  'The key to sign with, created if there is none. Records for how long the longest seal of the key is valid. Internal.';
