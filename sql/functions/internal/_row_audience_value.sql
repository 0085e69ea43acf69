-- An expression of djr._row_audience's parts, the columns among them expressions by now.
create or replace function djr._row_audience_value(
  parts text[]
) returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when _row_audience_value.parts is null then 'null::pg_catalog.text'
    -- A user. Who nobody is (null or empty) djr._row_events knows.
    when cardinality(_row_audience_value.parts) = 2 then _row_audience_value.parts[2]
    else (
      select string_agg(
        case
          -- %: the expression is for format().
          when part.place % 2 = 1 then replace(quote_literal(part.value), '%', '%%') || '::pg_catalog.text'
          -- A row that is in no room is in no room called "room:".
          else format('(select case when _c.c operator(pg_catalog.<>) '''' then _c.c end from (select %s as c offset 0) _c)', part.value)
        end,
        ' operator(pg_catalog.||) '
        order by part.place
      )
      from unnest(_row_audience_value.parts) with ordinality part (value, place)
    )
  end
$$;

comment on function djr._row_audience_value(text[]) is
  'An expression for the user or the topic of a row: null where a column of the topic is null or empty. Internal.';
