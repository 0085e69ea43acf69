create or replace function djr._new_seal_key() returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- 244 random bits; gen_random_uuid is PostgreSQL's own source of strong random numbers.
  _key bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  _inner bytea := decode(repeat('36', 64), 'hex');
  _outer bytea := decode(repeat('5c', 64), 'hex');
  _made djr.seal_key;
begin
  for _place in 0 .. 31 loop
    _inner := set_byte(_inner, _place, get_byte(_inner, _place) # get_byte(_key, _place));
    _outer := set_byte(_outer, _place, get_byte(_outer, _place) # get_byte(_key, _place));
  end loop;
  lock table djr.seal_key in share row exclusive mode;
  delete from djr.seal_key where not seal_key.newest;
  update djr.seal_key set newest = false;
  insert into djr.seal_key (inner_key, outer_key, id)
  values (_inner, _outer, left(encode(sha256(_outer), 'hex'), 8))
  returning * into _made;
  return _made;
end
$$;

comment on function djr._new_seal_key() is
  'Makes a key that signs all seals from now on. Seals of the previous key stay valid; those of older keys do not. Internal.';

-- Made here and not by the first seal: a transaction that only reads cannot make it, and one that is rolled back would take it along.
do $$
begin
  if not exists (select from djr.seal_key) then
    perform djr._new_seal_key();
  end if;
end
$$;
