-- 42.0 is user 42, as numeric has one value for both; 42.5 is nobody.
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
  'The text of a user''s id that is a numeric: without fraction, 42.0 is 42 (DJR03 for anything else). Internal.';
