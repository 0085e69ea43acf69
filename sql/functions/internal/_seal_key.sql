create or replace function djr._seal_key(valid interval) returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
begin
  -- Two that need the first key at the same time: one waits here, and then finds it.
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
  'The key to sign with, made where there is none, and noted for how long a seal is to be valid. Internal.';
