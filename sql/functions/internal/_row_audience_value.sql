-- Takes the list of djr._row_audience, in which djr._row_columns has replaced the names of columns by expressions.
create or replace function djr._row_audience_value(
  parts text[]
) returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when _row_audience_value.parts is null then 'null::pg_catalog.text'
    -- A user. djr._row_events publishes nothing if it is null or empty.
    when cardinality(_row_audience_value.parts) = 2 then _row_audience_value.parts[2]
    else (
      select string_agg(
        case
          -- The whole expression goes through format(), so a % in a text is doubled.
          when part.place % 2 = 1 then replace(quote_literal(part.value), '%', '%%') || '::pg_catalog.text'
          -- A row with a null or empty room_id belongs to no topic, rather than to the topic "room:".
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
