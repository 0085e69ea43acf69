-- Called only if there is no key, as after a restore of the schema alone, or if a seal is valid for longer than any before it.
create or replace function djr._seal_key(seconds integer) returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
begin
  -- One transaction at a time: otherwise two could make a first key, or the lower of two values could be set last.
  lock table djr.seal_key in share row exclusive mode;
  select * into _key from djr.seal_key where seal_key.newest;
  if not found then
    _key := djr._new_seal_key();
  end if;
  if _seal_key.seconds > coalesce(pg_sequence_last_value('djr.seal_longest'), 3600) then
    perform setval('djr.seal_longest', _seal_key.seconds);
  end if;
  return _key;
end
$$;

comment on function djr._seal_key(integer) is
  'The key to sign with, created if there is none. Records for how many seconds the longest seal is valid. Internal.';
