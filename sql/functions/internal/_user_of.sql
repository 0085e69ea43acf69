-- The numeric 42.0 is user 42, as both are the same number; 42.5 is no user's id.
create or replace function djr._user_of(user_id numeric) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _user_of.user_id in ('NaN', 'Infinity', '-Infinity') or _user_of.user_id <> trunc(_user_of.user_id) then
    raise exception using
      errcode = 'DJR03',
      message = format('a user_id of type numeric must be a whole number (it is %s)', _user_of.user_id),
      detail = format('It is %s.', _user_of.user_id),
      hint = 'Pass the id by which your login knows the user.';
  end if;
  return trim_scale(_user_of.user_id)::text;
end
$$;

comment on function djr._user_of(numeric) is
  'A user''s id of type numeric as a text, 42 for 42.0; DJR03 if it has a fraction or is no number. Internal.';
