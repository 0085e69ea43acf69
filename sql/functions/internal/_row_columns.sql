-- The first migrations made these.
drop function if exists djr._row_columns(regclass, text[]);
drop function if exists djr._row_columns(regclass, text[], text, text);

-- Returns three SQL expressions of a row as a format string, in which %1$s stands for the row. They are built anew whenever a trigger
-- fires, because any session could write to the places that could keep them (settings, prepared statements, temporary tables). For
-- speed one query reads the catalogs, and the common types are handled here; djr._row_value handles the others.
create or replace function djr._row_columns(
  relation regclass,
  columns text[],
  audience text[],
  id_column text
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The list of djr._row_audience, in which texts and names of columns alternate. The names are replaced by expressions below.
  _audience text[] := _row_columns.audience;
  _audience_columns text[] := array(
    select listed.name
    from unnest(_row_columns.audience) with ordinality listed (name, place)
    where listed.place % 2 = 0
  );
  _wanted text[] := array_remove(_row_columns.columns || _audience_columns || _row_columns.id_column, null);
  _id_number smallint;
  _name text;
  _type oid;
  _number smallint;
  _is_virtual boolean;
  _is_plain boolean;
  _reference text;
  _value text;
  _value_text text;
  _found text[] := '{}';
  _pairs text[] := '{}';
  _id text := 'null::pg_catalog.jsonb';
begin
  if _row_columns.id_column is null then
    select pg_index.indkey[0]
    into _id_number
    from pg_index
    where pg_index.indrelid = _row_columns.relation
      and pg_index.indisprimary
      and pg_index.indnkeyatts = 1;
  end if;

  for _name, _type, _number, _is_virtual in
    select pg_attribute.attname, pg_attribute.atttypid, pg_attribute.attnum, pg_attribute.attgenerated = 'v'
    from pg_attribute
    where pg_attribute.attrelid = _row_columns.relation
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped
  loop
    continue when not _name = any(_wanted) and _number is distinct from _id_number;
    if _is_virtual then
      raise exception using
        errcode = 'DJR08',
        message = format('column %s of table %s is a virtual generated column', to_json(_name), _row_columns.relation),
        detail = 'A trigger with djr.publish_row names it, and PostgreSQL gives no trigger the values of virtual columns.',
        hint = 'Declare it as stored, or leave it out and let the client fetch it.';
    end if;
    _found := _found || _name;
    _reference := '%1$s.' || replace(quote_ident(_name), '%', '%%');
    -- Types with an oid from 16384 on are not built in. json may hold a value that jsonb cannot.
    _is_plain := _type < 16384 and _type not in ('json'::regtype, 'json[]'::regtype);
    _value := case
      when _is_plain then 'pg_catalog.to_jsonb(' || _reference || ')'
      else djr._row_value(_reference, _type)
    end;
    if _name = any(_row_columns.columns) then
      -- jsonb_build_object converts a built-in type as to_jsonb does.
      _pairs := _pairs || (
        replace(quote_literal(_name), '%', '%%') || ', ' || case when _is_plain then _reference else _value end
      );
    end if;
    if _name = any(_audience_columns) then
      _value_text := case
        -- The same text that djr.publish(column, ...) makes of the column: char(n) loses its trailing blanks. Nobody can replace the cast
        -- of a built-in type.
        when _type < 16384 or djr._base_type(_type) < 16384 then '(' || _reference || ')::pg_catalog.text'
        else format('case when (%1$s) is distinct from null then pg_catalog.concat(%1$s) end', _reference)
      end;
      for _place in 1 .. cardinality(_audience_columns) loop
        if _audience_columns[_place] = _name then
          _audience[2 * _place] := _value_text;
        end if;
      end loop;
    end if;
    if _name = _row_columns.id_column or _number = _id_number then
      _id := case
        -- smallint, integer, uuid, text, varchar and char(n): none of their values is a number too large for JavaScript.
        when _type in (21, 23, 2950, 25, 1043, 1042) then _value
        else 'djr._row_id(' || _value || ')'
      end;
    end if;
  end loop;

  if not _found @> _wanted then
    select listed.name
    into _name
    from unnest(_wanted) listed (name)
    where listed.name <> all(_found)
    limit 1;
    raise exception using
      errcode = 'DJR08',
      message = format('table %s has no column %s', _row_columns.relation, to_json(_name)),
      detail = 'A trigger with djr.publish_row names it.',
      hint = 'djr.publish_row(type, column of the user, topic:room:{column} or '''', columns to send, column of the id): name columns as the table has them, capitals and all.';
  end if;
  return case
    when cardinality(_pairs) <= 50 then 'pg_catalog.jsonb_build_object(' || array_to_string(_pairs, ', ') || ')'
    else djr._row_object(_pairs)
  end || ', ' || djr._row_audience_value(_audience) || ', ' || _id;
end
$$;

comment on function djr._row_columns(regclass, text[], text[], text) is
  'Three SQL expressions as a format string with %1$s for the row: the named columns as a JSON object, the user or the topic as a text, and the value of :id, which is the primary key unless id_column names another column. DJR08 for a column that does not exist or that no trigger can read. Internal.';
