-- jsonb_build_object takes 100 arguments and no more, which is fifty members.
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
  'An expression that makes pairs of an expression each, name and value, into a JSON object. Internal.';
