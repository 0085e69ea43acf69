-- djr._publish calls it for an event with a key only, so that publishing without a key costs nothing more.
-- The second publisher of a key waits until the first one's transaction ends: before that nobody can know whether the key is taken.
-- The first migrations made it without a topic.
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
-- The column in `on conflict (key)` cannot be qualified, so a bare name means the column; every parameter is written qualified.
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
    -- If no event has the key now, it was pruned between the two statements: the key is free again, and the insert is repeated. Or a
    -- trigger of the app keeps the row out, and would do so again.
    exit when _id is not null or djr._may_be_kept_out();
  end loop;
  return _id;
end
$$;

comment on function djr._publish_once(text, text, text, jsonb, jsonb, text, text, boolean) is
  'Publishes unless the key was used before; returns the id of the event that has it (DJR12 if that one is another event, DJR06 with storage off or without a row). Internal.';
