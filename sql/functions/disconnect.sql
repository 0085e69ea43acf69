-- An overload for each type that ids of users have.
create or replace function djr.disconnect(
  user_id text,
  reason text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if disconnect.user_id is null then
    raise exception using
      errcode = 'DJR03',
      message = 'djr.disconnect must be told a user_id, and it is null',
      hint = 'Is there a user here? Nobody is disconnected without one.';
  end if;
  perform djr._order('disconnect', disconnect.user_id, jsonb_strip_nulls(jsonb_build_object('reason', left(disconnect.reason, 255))));
end
$$;

comment on function djr.disconnect(text, text) is
  'Ends every open stream of a user, whose id is a text, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for logs and for the page.';

create or replace function djr.disconnect(
  user_id bigint,
  reason text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if disconnect.user_id is null then
    raise exception using
      errcode = 'DJR03',
      message = 'djr.disconnect must be told a user_id, and it is null',
      hint = 'Is there a user here? Nobody is disconnected without one.';
  end if;
  perform djr._order('disconnect', disconnect.user_id::pg_catalog.text, jsonb_strip_nulls(jsonb_build_object('reason', left(disconnect.reason, 255))));
end
$$;

comment on function djr.disconnect(bigint, text) is
  'Ends every open stream of a user, whose id is a bigint, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for logs and for the page.';

create or replace function djr.disconnect(
  user_id uuid,
  reason text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if disconnect.user_id is null then
    raise exception using
      errcode = 'DJR03',
      message = 'djr.disconnect must be told a user_id, and it is null',
      hint = 'Is there a user here? Nobody is disconnected without one.';
  end if;
  perform djr._order('disconnect', disconnect.user_id::pg_catalog.text, jsonb_strip_nulls(jsonb_build_object('reason', left(disconnect.reason, 255))));
end
$$;

comment on function djr.disconnect(uuid, text) is
  'Ends every open stream of a user, whose id is a uuid, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for logs and for the page.';
