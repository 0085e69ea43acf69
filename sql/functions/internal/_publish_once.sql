-- Called by djr._publish when there is a key, so that publishing without one does not pay for it.
-- A unique key makes its second publisher wait until the first one's transaction ends: there is no other way to know.
-- Of the first migrations: without a topic.
drop function if exists djr._publish_once(text, text, text, jsonb, jsonb, text);
drop function if exists djr._publish_once(text, text, text, jsonb, jsonb, text, text);

create or replace function djr._publish_once(
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
set search_path = pg_catalog, pg_temp
as $$
-- `on conflict (key)` cannot be qualified; every parameter is.
#variable_conflict use_column
declare
  _id bigint;
  _same boolean;
begin
  if _publish_once.store is false then
    perform djr._refuse_key_unstored('');
  elsif not (select settings.storage from djr.settings) then
    raise exception using
      errcode = 'DJR06',
      message = 'a key needs storage, and storage is off',
      detail = 'Without the stored event nothing tells that the key was used before.',
      hint = 'Publish without a key, or switch storage on: select djr.configure(storage => true).';
  end if;

  loop
    insert into djr.event (scope, user_id, type, detail, private_data, key, topic)
    values (
      _publish_once.scope, _publish_once.user_id, _publish_once.type,
      _publish_once.detail, _publish_once.private_data, _publish_once.key,
      _publish_once.topic
    )
    on conflict (key) where event.key is not null do nothing
    returning event.id into _id;
    exit when _id is not null;

    select
      event.id,
      event.scope = _publish_once.scope
        and event.type = _publish_once.type
        and event.user_id is not distinct from _publish_once.user_id
        and event.topic is not distinct from _publish_once.topic
    into _id, _same
    from djr.event
    where event.key = _publish_once.key;
    if not _same then
      perform djr._refuse_key(_publish_once.key);
    end if;
    -- Else it was pruned between the two statements, and the key is free again.
    exit when _id is not null;
  end loop;
  return _id;
end
$$;

comment on function djr._publish_once(text, text, text, jsonb, jsonb, text, text, boolean) is
  'Publishes unless the key was used before; returns the id of the event that has it (DJR12 if that one is another event, DJR06 with storage off or without a row). Internal.';
