-- SECURITY DEFINER, so that whoever may change the row need not be allowed to publish anything else.
create or replace function djr.publish_row() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _type text := tg_argv[0];
  _user_column text := nullif(trim(tg_argv[1]), '');
  _columns text[];
  _id_column text := nullif(trim(tg_argv[3]), '');
  _named text[];
  _query text;
  _before jsonb;
  _after jsonb;
  _row jsonb;
begin
  if tg_level <> 'ROW' or tg_when <> 'AFTER' or tg_nargs not between 3 and 4 then
    raise exception using
      errcode = 'DJR08',
      message = format('trigger %I on %s does not fit djr.publish_row', tg_name, tg_relid::regclass),
      detail = format('It is %s ... for each %s with %s arguments.', lower(tg_when), lower(tg_level), tg_nargs),
      hint = 'create trigger ... after insert or update or delete on ... for each row execute function djr.publish_row(''type'', ''user_column or empty'', ''columns,to,send'').';
  end if;

  select array_agg(trim(name) order by place)
  into _columns
  from unnest(string_to_array(tg_argv[2], ',')) with ordinality listed (name, place)
  where trim(name) <> '';

  if _id_column is null then
    select pg_attribute.attname
    into _id_column
    from pg_index
    join pg_attribute on pg_attribute.attrelid = pg_index.indrelid and pg_attribute.attnum = pg_index.indkey[0]
    where pg_index.indrelid = tg_relid
      and pg_index.indisprimary
      and pg_index.indnkeyatts = 1;
  end if;

  _columns := coalesce(_columns, '{}');
  _named := array_remove(_columns || _user_column || _id_column, null);
  _query := djr._row_columns(tg_relid, _named);
  if tg_op <> 'INSERT' then
    execute _query into _before using old;
  end if;
  if tg_op <> 'DELETE' then
    execute _query into _after using new;
  end if;
  if _before is not distinct from _after then
    return null;
  end if;

  -- Who lost the row must see it go.
  if tg_op = 'UPDATE' and _user_column is not null and _before ->> _user_column <> coalesce(_after ->> _user_column, '') then
    perform djr._publish_row(_type, _user_column, _id_column, _columns, 'delete', _before);
  end if;
  _row := coalesce(_after, _before);
  perform djr._publish_row(_type, _user_column, _id_column, _columns, lower(tg_op), _row);
  return null;
end
$$;

comment on function djr.publish_row() is
  'A trigger function for any table: after insert or update or delete ... for each row execute function djr.publish_row(type, user column or '''' for everyone, columns to send, id column). detail has the columns, op and :id (the primary key, or the fourth argument). Nothing is published for a row without a user, or when no named column changed; a user whom an update takes the row from gets op delete. DJR08 if the trigger does not fit the table.';
