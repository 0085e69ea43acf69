create or replace function djr._refuse_key_unstored(place text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR06',
    message = _refuse_key_unstored.place || 'an event with a key must be stored (store is false)',
    detail = 'Without the stored event nothing tells that the key was used before.',
    hint = 'Publish without a key, or with store => true.';
end
$$;

comment on function djr._refuse_key_unstored(text) is
  'Raises DJR06 for an event that has a key and no row. Internal.';
