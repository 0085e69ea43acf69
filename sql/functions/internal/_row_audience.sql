-- Parses the second argument of djr.publish_row into a list in which texts and names of columns alternate. A column of users makes
-- {"", user_id}, topic:room:{room_id} makes {"room:", room_id, ""}, and an empty argument makes null: the event is for everyone.
create or replace function djr._row_audience(
  name text,
  relation regclass,
  argument text
) returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _argument text := btrim(_row_audience.argument, E' \t\r\n');
  _template text;
  _place constant text := E'\\{\\s*("(?:[^"]|"")*"|[^{}"]+)\\s*\\}';
  _texts text[];
  _columns text[];
  _audience text[];
begin
  if coalesce(_argument, '') = '' then
    return null;
  elsif _argument like '"%' then
    return array['', (djr._row_names(_argument))[1]];
  elsif _argument not like 'topic:%' then
    return array['', _argument];
  end if;

  _template := substr(_argument, 7);
  _texts := regexp_split_to_array(_template, _place);
  _columns := array(
    select case when found.part[1] like '"%' then (djr._row_names(found.part[1]))[1] else btrim(found.part[1], E' \t\r\n') end
    from regexp_matches(_template, _place, 'g') with ordinality found (part, place)
    order by found.place
  );
  if array_to_string(_texts, '') ~ '[{}]' or '' = any(_columns) or array_position(_columns, null) is not null then
    perform djr._refuse_trigger(
      _row_audience.name,
      _row_audience.relation,
      format('A topic must have names of columns in braces, as in topic:room:{room_id}; it is %s.', to_json(_argument))
    );
  elsif _columns = '{}' and _template = '' or djr._is_topic(nullif(array_to_string(_texts, ''), '')) is not true then
    perform djr._refuse_trigger(
      _row_audience.name,
      _row_audience.relation,
      format(
        'A topic must have 1 to 255 characters, no white space and no control characters; it is %s.', to_json(_argument)
      )
    );
  end if;

  for _part in 1 .. cardinality(_texts) loop
    _audience := _audience || _texts[_part] || _columns[_part];
  end loop;
  -- The loop appended a column after the last text as well, where there is none.
  return trim_array(_audience, 1);
end
$$;

comment on function djr._row_audience(text, regclass, text) is
  'The second argument of djr.publish_row as texts and names of columns by turns; null for everyone. DJR08 for a topic that can be none. Internal.';
