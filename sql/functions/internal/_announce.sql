-- This trigger runs for every publish, so it makes few calls: each query and each function costs as much as an index. While delivery
-- is sweep, one query finds out that nothing is to be refused. While it is notify, each event is encoded once, and as many events
-- as fit are packed into one message, because every listener must fetch every message. Of a statement with thousands of events the
-- first 32 messages are sent; then a doorbell tells the instances to sweep for the rest, which costs both sides less than more messages.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- How many more messages this statement may send; 0 while delivery is sweep.
  _room integer;
  _channel text;
  _line text;
  _misfit boolean;
  _most integer;
  _header json;
  _message text;
begin
  -- The mode is a sequence, so it is read as it is now, not as of a snapshot; it is null until it is first set. A header takes at most
  -- 110 bytes, and four for each of a type's 200 characters, and six for each of a user's or a topic's 255 characters. So with a detail
  -- of up to 5,500 bytes no message is too large, and the message need not be encoded to know that.
  perform
  from _new
  where coalesce(pg_sequence_last_value('djr.delivery_mode'), 1) <> 2
    or octet_length(_new.detail::text) > 5500
    or not djr._fits(_new.scope, _new.user_id, _new.topic, _new.replay_of)
    or not djr._is_readable(_new.id, _new.xid, _new.created_at)
  limit 1;
  if not found then
    return null;
  end if;

  _room := case pg_sequence_last_value('djr.delivery_mode') when 2 then 0 else 32 end;
  for _line, _misfit in
    select
      djr._encode(_new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail, _new.topic),
      not djr._fits(_new.scope, _new.user_id, _new.topic, _new.replay_of)
        or not djr._is_readable(_new.id, _new.xid, _new.created_at)
    from _new
    -- publish_many inserts in the order of the keys; the ids have the order of its argument.
    order by _new.id
  loop
    if _misfit or octet_length(_line) > 7999 then
      _most := coalesce((select settings.max_bytes from djr.settings), 7999);
      if _misfit or octet_length(_line) > _most then
        _header := split_part(_line, E'\t', 1)::json;
        perform djr._validate(_header ->> 2, _header ->> 3, _header ->> 4, '{}', null, '', _header ->> 6);
        if octet_length(_line) > _most then
          perform djr._refuse_size(_header ->> 4, octet_length(_line), _most, true);
        end if;
        perform djr._refuse_unreadable(_header);
      end if;
      continue when _room = 0;
      -- NOTIFY cannot carry this event, so a sweep delivers it; and all events after it, as none must be delivered before it.
      if _message is not null then
        perform pg_notify(coalesce((select settings.channel from djr.settings), djr.channel()), _message);
      end if;
      _message := '{"doorbell":"sweep"}';
      _room := 0;
    end if;
    continue when _room = 0;

    if _message is null then
      _message := _line;
    elsif octet_length(_message) + 1 + octet_length(_line) <= 7999 then
      _message := _message || E'\n' || _line;
    else
      _channel := coalesce(_channel, (select settings.channel from djr.settings), djr.channel());
      perform pg_notify(_channel, _message);
      _message := _line;
      _room := _room - 1;
      if _room = 0 then
        _message := '{"doorbell":"sweep"}';
        -- The others are not sent, so they are encoded only if one of them may have to be refused.
        exit when not exists (
          select
          from _new
          where octet_length(_new.detail::text) > 5500
            or not djr._fits(_new.scope, _new.user_id, _new.topic, _new.replay_of)
            or not djr._is_readable(_new.id, _new.xid, _new.created_at)
        );
      end if;
    end if;
  end loop;

  if _message is not null then
    perform pg_notify(settings.channel, _message) from djr.settings;
    if not found then
      perform pg_notify(djr.channel(), _message);
    end if;
  end if;
  return null;
end
$$;

comment on function djr._announce() is
  'The insert trigger of djr.event: refuses an event that is too large (DJR05), whose scope, user and topic do not fit together (DJR02) or that no runtime could read (DJR16), and announces the others with NOTIFY. Internal.';
