create or replace function djr._refuse_trigger(
  name text,
  relation regclass,
  detail text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR08',
    message = format('trigger %I on %s does not fit djr.publish_row', _refuse_trigger.name, _refuse_trigger.relation),
    detail = _refuse_trigger.detail,
    hint = 'create trigger ... after insert or update or delete on ... for each row execute function djr.publish_row(''type'', ''user_column, topic:room:{column} or empty'', ''columns,to,send''); or, for one of the three, ... after update on ... referencing old table as before new table as after for each statement execute function ....';
end
$$;

comment on function djr._refuse_trigger(text, regclass, text) is
  'Raises DJR08: a trigger of djr.publish_row does not fit its table. Internal.';
