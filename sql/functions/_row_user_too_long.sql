create or replace function djr._row_user_too_long(
  type text,
  user_id text,
  refuse boolean
) returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _row_user_too_long.refuse then
    perform djr._validate('user', _row_user_too_long.user_id, _row_user_too_long.type, '{}', null, '', null);
  end if;
  raise warning using
    errcode = 'DJR03',
    message = format('the event "%s" of a row is not published', _row_user_too_long.type),
    detail = format('Its user_id has %s characters, and no stream is of a user with more than 255.', length(_row_user_too_long.user_id)),
    hint = 'Name the column by which your login knows the user; with ''refuse'' as fifth argument djr.publish_row makes it an error.';
  return false;
end
$$;

comment on function djr._row_user_too_long(text, text, boolean) is
  'Raises DJR03, or warns and says false: a row''s user is nobody whom an event can reach. Internal.';
