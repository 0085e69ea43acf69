-- The first migrations made it for users only.
drop function if exists djr._row_user_too_long(text, text, boolean);

create or replace function djr._row_misfit(
  scope text,
  type text,
  audience text,
  refuse boolean
) returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _row_misfit.refuse then
    perform djr._validate(
      _row_misfit.scope,
      case when _row_misfit.scope = 'user' then _row_misfit.audience end,
      _row_misfit.type,
      '{}',
      null,
      '',
      case when _row_misfit.scope = 'topic' then _row_misfit.audience end
    );
  elsif _row_misfit.scope = 'user' then
    raise warning using
      errcode = 'DJR03',
      message = format('the event "%s" of a row is not published', _row_misfit.type),
      detail = format('Its user_id has %s characters, and no stream is of a user with more than 255.', length(_row_misfit.audience)),
      hint = 'Name the column by which your login knows the user; with ''refuse'' as fifth argument djr.publish_row makes it an error.';
  else
    raise warning using
      errcode = 'DJR18',
      message = format('the event "%s" of a row is not published', _row_misfit.type),
      detail = format(
        'A topic must have 1 to 255 characters, no white space and no control characters; it has %s: %s.',
        length(_row_misfit.audience),
        to_json(left(_row_misfit.audience, 255))
      ),
      hint = 'Name the column of an id in the topic; with ''refuse'' as fifth argument djr.publish_row makes it an error.';
  end if;
  return false;
end
$$;

comment on function djr._row_misfit(text, text, text, boolean) is
  'For a row whose user or topic no event can have: raises DJR03 or DJR18 with refuse, otherwise warns and returns false. Internal.';
