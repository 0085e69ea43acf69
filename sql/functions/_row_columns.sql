-- The expression that makes a row's named columns into jsonb. A column of a built-in type (or a domain over one) goes
-- through to_jsonb; any other through its output function only, as text: to_jsonb would call a cast to json that the
-- type's owner may have written, and djr.publish_row runs with the rights of djr's owner.
create or replace function djr._row_columns(
  relation regclass,
  columns text[]
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _column text;
  _type oid;
  _base oid;
  _parts text[] := '{}';
begin
  foreach _column in array _row_columns.columns loop
    select pg_attribute.atttypid
    into _type
    from pg_attribute
    where pg_attribute.attrelid = _row_columns.relation
      and pg_attribute.attname = _column
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped;
    if not found then
      raise exception using
        errcode = 'DJR08',
        message = format('table %s has no column %s', _row_columns.relation, to_json(_column)),
        detail = 'A trigger with djr.publish_row names it.',
        hint = 'djr.publish_row(type, column of the user or '''', columns to send, column of the id): correct the trigger.';
    end if;
    _base := _type;
    while (select pg_type.typtype = 'd' from pg_type where pg_type.oid = _base) loop
      select pg_type.typbasetype into _base from pg_type where pg_type.oid = _base;
    end loop;
    _parts := _parts || format('%L', _column) || case
      when _base >= 16384 then
        format('case when ($1).%1$I is null then null else to_jsonb(format(''%%s'', ($1).%1$I)) end', _column)
      else
        format('to_jsonb(($1).%I::%s)', _column, format_type(_base, null))
    end;
  end loop;
  return format('select jsonb_build_object(%s)', array_to_string(_parts, ', '));
end
$$;

comment on function djr._row_columns(regclass, text[]) is
  'A query that makes named columns of a row ($1) into a JSON object; DJR08 for a column that is not there. Internal.';
