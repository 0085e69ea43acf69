-- Of the first migrations.
drop function if exists djr._row_columns(regclass, text[]);

-- Three expressions of a row, for format(): %1$s is the row. They are made anew whenever a trigger fires, as the only places
-- that could keep them (settings, prepared statements, temporary tables) are anybody's to write. So it is one query for what
-- most columns need; djr._row_value looks at the others.
create or replace function djr._row_columns(
  relation regclass,
  columns text[],
  user_column text,
  id_column text
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _pairs text[];
  _id text;
  _user text;
  _missing text;
  _virtual text;
begin
  select
    array_agg(format('%L, %s', replace(described.name, '%', '%%'), described.value) order by described.place)
      filter (where described.role = 'sent'),
    min(
      case
        -- 2- and 4-byte integers, uuid, text, varchar, char(n): no number that is too large.
        when described.type in (21, 23, 2950, 25, 1043, 1042) then described.value
        else format('djr._row_id(%s)', described.value)
      end
    ) filter (where described.role = 'id'),
    min(
      case
        -- As djr.publish(column, …) has it: char(n) without its blanks, which do not count. The cast of a built-in type is
        -- nobody's to change.
        when djr._base_type(described.type) < 16384 then format('(%s)::pg_catalog.text', described.reference)
        else format('case when (%1$s) is distinct from null then pg_catalog.concat(%1$s) end', described.reference)
      end
    ) filter (where described.role = 'user'),
    min(described.name) filter (where described.type is null),
    min(described.name) filter (where described.is_virtual)
  into _pairs, _id, _user, _missing, _virtual
  from (
    select
      listed.role,
      listed.name,
      listed.place,
      column_type.oid as type,
      pg_attribute.attgenerated = 'v' as is_virtual,
      row_reference.text as reference,
      case
        when column_type.oid < 16384 and column_type.typtype <> 'c'
          and column_type.oid not in ('json'::regtype, 'json[]'::regtype)
          then format('pg_catalog.to_jsonb(%s)', row_reference.text)
        when column_type.oid is not null then djr._row_value(row_reference.text, column_type.oid)
      end as value
    from (
      select 'sent' as role, sent.name, sent.place
      from unnest(_row_columns.columns) with ordinality sent (name, place)
      union all
      select 'user', _row_columns.user_column, 0
      where _row_columns.user_column is not null
      union all
      select 'id', _row_columns.id_column, 0
      where _row_columns.id_column is not null
    ) listed
    cross join lateral (
      select '%1$s.' || replace(quote_ident(listed.name), '%', '%%') as text
    ) row_reference
    left join pg_attribute on pg_attribute.attrelid = _row_columns.relation
      and pg_attribute.attname = listed.name
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped
    left join pg_type column_type on column_type.oid = pg_attribute.atttypid
  ) described;

  if _missing is not null or _virtual is not null then
    raise exception using
      errcode = 'DJR08',
      message = case
        when _missing is not null then format('table %s has no column %s', _row_columns.relation, to_json(_missing))
        else format('column %s of table %s is a virtual generated column', to_json(_virtual), _row_columns.relation)
      end,
      detail = case
        when _missing is not null then 'A trigger with djr.publish_row names it.'
        else 'A trigger with djr.publish_row names it, and PostgreSQL gives no trigger the values of virtual columns.'
      end,
      hint = case
        when _missing is not null then 'djr.publish_row(type, column of the user or '''', columns to send, column of the id): name columns as the table has them, capitals and all.'
        else 'Declare it as stored, or leave it out and let the client fetch it.'
      end;
  end if;

  return format(
    '%s, %s, %s',
    djr._row_object(_pairs), coalesce(_user, 'null::pg_catalog.text'), coalesce(_id, 'null::pg_catalog.jsonb')
  );
end
$$;

comment on function djr._row_columns(regclass, text[], text, text) is
  'Three expressions of a row, with %1$s in its place: the named columns as a JSON object, the user as a text, and the value of :id. DJR08 for a column that is not there or that no trigger can read. Internal.';
