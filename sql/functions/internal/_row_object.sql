-- jsonb_build_object takes at most 100 arguments, which is fifty members, so larger objects are made of several.
create or replace function djr._row_object(
  pairs text[]
) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _object text := 'pg_catalog.jsonb_build_object(' || array_to_string(_row_object.pairs[:50], ', ') || ')';
begin
  if cardinality(_row_object.pairs) > 50 then
    _object := _object || ' operator(pg_catalog.||) ' || djr._row_object(_row_object.pairs[51:]);
  end if;
  return _object;
end
$$;

comment on function djr._row_object(text[]) is
  'An SQL expression that builds a JSON object from a list in which expressions of names and values alternate. Internal.';
