create or replace function djr._publish_row(
  type text,
  user_column text,
  id_column text,
  columns text[],
  op text,
  row_data jsonb
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _user_id text := _publish_row.row_data ->> _publish_row.user_column;
  _detail jsonb;
begin
  -- A row that belongs to nobody (a guest's order) is for nobody; in no case for everyone.
  if _publish_row.user_column is not null and _user_id is null then
    return;
  end if;
  select coalesce(jsonb_object_agg(name, _publish_row.row_data -> name), '{}')
  into _detail
  from unnest(_publish_row.columns) name;
  _detail := _detail || jsonb_build_object('op', _publish_row.op);
  if _publish_row.id_column is not null then
    _detail := _detail || jsonb_build_object(':id', _publish_row.row_data -> _publish_row.id_column);
  end if;
  perform djr._publish(
    case when _publish_row.user_column is null then 'public' else 'user' end,
    _user_id,
    _publish_row.type,
    _detail,
    null,
    null,
    null
  );
end
$$;

comment on function djr._publish_row(text, text, text, text[], text, jsonb) is
  'Publishes one row for djr.publish_row. Internal.';
