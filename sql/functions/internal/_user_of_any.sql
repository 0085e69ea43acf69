-- The overloads for a detail of type json take a user_id of any type. This accepts the types for which djr.publish has overloads.
create or replace function djr._user_of_any(user_id anynonarray) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _type regtype := djr._base_type(pg_typeof(_user_of_any.user_id));
begin
  if _type = 'numeric'::regtype then
    return djr._user_of(_user_of_any.user_id::numeric);
  elsif _type = any ('{smallint,integer,bigint,uuid}'::regtype[]) then
    return _user_of_any.user_id::text;
  end if;
  raise exception using
    errcode = 'DJR03',
    message = format('a user_id must be a text, a whole number or a uuid (it is of type %s)', pg_typeof(_user_of_any.user_id)),
    hint = 'Pass the id by which your login knows the user, cast to text.';
end
$$;

comment on function djr._user_of_any(anynonarray) is
  'A user''s id of any type that djr.publish takes, as a text; DJR03 for another type. Internal.';
