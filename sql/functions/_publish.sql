-- What all publish* come to. No exception block (a subtransaction for each event costs more than the event)
-- and no lock that outlives a statement, but for a key's: two publishers of one key must wait for each other.
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
-- `on conflict (key)` cannot be qualified; every parameter is.
#variable_conflict use_column
declare
  _storage boolean;
  _channel text;
  _id bigint;
  _line text;
begin
  perform djr._validate(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.key);

  select settings.storage, settings.channel
  into _storage, _channel
  from djr.settings;

  if not _storage then
    if _publish.key is not null then
      raise exception using
        errcode = 'DJR06',
        message = 'a key needs storage, and storage is off',
        detail = 'Without the stored event nothing tells that the key was used before.',
        hint = 'Publish without a key, or switch storage on: select djr.configure(storage => true).';
    end if;
    _id := nextval('djr.event_id_seq');
    _line := djr._encode(_id, null, _publish.scope, _publish.user_id, _publish.type, clock_timestamp(), _publish.detail);
    if octet_length(_line) > 7999 then
      perform djr._refuse_size(_publish.type, octet_length(_line));
    end if;
    perform pg_notify(_channel, _line);
    return _id;
  end if;

  if _publish.key is null then
    insert into djr.event (scope, user_id, type, detail, private_data)
    values (_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data)
    returning event.id into _id;
    return _id;
  end if;

  loop
    insert into djr.event (scope, user_id, type, detail, private_data, key)
    values (_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key)
    on conflict (key) where event.key is not null do nothing
    returning event.id into _id;
    exit when _id is not null;

    select event.id into _id from djr.event where event.key = _publish.key;
    -- Else it was pruned between the two statements, and the key is free again.
    exit when _id is not null;
  end loop;
  return _id;
end
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text) is
  'What publish, publish_global and publish_system come to; granted by djr.grant_publish. Internal.';
