-- jsonb_build_object takes 100 arguments and no more, which is fifty members.
create or replace function djr._row_object(
  pairs text[]
) returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    string_agg(format('pg_catalog.jsonb_build_object(%s)', part.pairs), ' operator(pg_catalog.||) ' order by part.number),
    'pg_catalog.jsonb_build_object()'
  )
  from (
    select (listed.place - 1) / 50 as number, string_agg(listed.pair, ', ' order by listed.place) as pairs
    from unnest(_row_object.pairs) with ordinality listed (pair, place)
    group by 1
  ) part
$$;

comment on function djr._row_object(text[]) is
  'An expression that makes pairs of an expression each, name and value, into a JSON object. Internal.';
