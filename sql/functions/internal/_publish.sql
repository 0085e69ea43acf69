drop function if exists djr._publish(text, text, text, jsonb, jsonb, text, text);

-- All publish* functions for one event call this one. It has no exception block, as a subtransaction would cost more than the event,
-- and takes no lock that outlives the statement.
create or replace function djr._publish(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text,
  topic text,
  store boolean
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint;
  _storage boolean;
begin
  if djr._is_valid(_publish.user_id, _publish.type, _publish.detail) is not true
    or _publish.key is not null
    or not djr._is_topic(_publish.topic)
    or _publish.store is false
  then
    perform djr._validate(
      _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.key, '', _publish.topic
    );
    if _publish.key is not null then
      return djr._publish_once(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key,
        _publish.topic, _publish.store
      );
    elsif _publish.store is false then
      return djr._publish_unstored(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.topic);
    end if;
  end if;

  -- The insert itself reads the setting storage: one statement instead of two.
  insert into djr.event (scope, user_id, type, detail, private_data, topic)
  select _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.topic
  from djr.settings
  where settings.storage
  returning event.id into _id;
  if _id is null then
    select settings.storage into _storage from djr.settings;
    if not found then
      perform djr._heal_settings();
      return djr._publish(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key,
        _publish.topic, _publish.store
      );
    elsif _storage and djr._may_be_kept_out() then
      return null;
    end if;
    return djr._notify_only(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.topic);
  end if;
  return _id;
end
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text, text, boolean) is
  'Publishes one event: publish, publish_public, publish_topic and publish_system all call it. Granted by djr.grant_publish. Internal.';

-- The first migrations made this one. It stays, because a session that planned a publish before an upgrade may call it afterwards.
create or replace function djr._publish(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text
) returns bigint
language sql
as $$
  select djr._publish(
    _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key, null, true
  )
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text) is
  'djr._publish for events without a topic. Internal.';
