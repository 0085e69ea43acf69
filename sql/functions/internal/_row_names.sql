-- Names are written exactly as in the table, with their capital letters. A name in double quotes, as in SQL, may contain a comma.
create or replace function djr._row_names(
  list text
) returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    array_agg(
      case
        when listed.name like '"%"' and length(listed.name) > 1
          then replace(substr(listed.name, 2, length(listed.name) - 2), '""', '"')
        else listed.name
      end
      order by listed.place
    ),
    '{}'
  )
  from (
    select btrim(found.part[1], E' \t\r\n') as name, found.place
    from regexp_matches(_row_names.list, E'\\s*("(?:[^"]|"")*"(?=\\s*(?:,|$))|[^,]+)', 'g') with ordinality found (part, place)
  ) listed
  where listed.name <> ''
$$;

comment on function djr._row_names(text) is
  'The names in a list of columns, some of them in double quotes. Internal.';
