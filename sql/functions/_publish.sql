-- What all publish* come to. No exception block (a subtransaction for each event would cost more than the event)
-- and no lock that outlives the statement.
create or replace function djr._publish(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint;
begin
  if djr._is_valid(_publish.user_id, _publish.type, _publish.detail) is not true or _publish.key is not null then
    perform djr._validate(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.key);
    if _publish.key is not null then
      return djr._publish_once(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key
      );
    end if;
  end if;

  -- The setting is read by the insert itself: one statement instead of two.
  insert into djr.event (scope, user_id, type, detail, private_data)
  select _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data
  from djr.settings
  where settings.storage
  returning event.id into _id;
  if _id is null then
    if not exists (select from djr.settings) then
      perform djr._heal_settings();
      return djr._publish(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key
      );
    end if;
    return djr._notify_only(_publish.scope, _publish.user_id, _publish.type, _publish.detail);
  end if;
  return _id;
end
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text) is
  'What publish, publish_public and publish_system come to; granted by djr.grant_publish. Internal.';
