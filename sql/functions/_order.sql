-- What djr.disconnect and djr.recheck tell the runtimes: a row like an event's, so that a sweep finds it where a NOTIFY was not
-- heard, with a scope and a mark in replay_of that no publisher can write.
create or replace function djr._order(
  type text,
  user_id text,
  detail jsonb
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if length(_order.user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = 'a user_id must have 1 to 255 characters',
      detail = format('It has %s.', length(_order.user_id)),
      hint = 'Pass the id by which your login knows the user.';
  end if;
  insert into djr.event (scope, type, user_id, detail, replay_of)
  select 'control', _order.type, _order.user_id, _order.detail, 0
  from djr.settings
  where settings.storage;
  if not found then
    perform djr._notify_only('control', _order.user_id, _order.type, _order.detail, null, 0);
  end if;
end
$$;

comment on function djr._order(text, text, jsonb) is
  'Stores and announces an order to the runtimes. Internal.';
