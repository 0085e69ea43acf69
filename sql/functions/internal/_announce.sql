-- Runs for every publish, so it counts what it calls: each query and each function costs as much as an index. Without NOTIFY
-- one query says that nothing is to be refused; with it each event is encoded once, and as many as fit are packed into
-- one message, because each is one that every listener must fetch. Of thousands of events the first are sent; a doorbell
-- says that the others are to be read, which costs both sides less than so many messages.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Messages that may be sent.
  _room integer;
  _channel text;
  _line text;
  _misfit boolean;
  _most integer;
  _header json;
  _message text;
begin
  -- The mode is read without MVCC; it is null until it was first set. A header takes at most 110 bytes, four for each of
  -- a type's 200 characters and six for each of a user's or a topic's 255: with a detail up to 5,500 no message is too large, and needs
  -- no more exact look.
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
    -- What is encoded is what the loop comes to, and not all before they are sorted.
    select
      djr._encode(e.id, e.xid, e.scope, e.user_id, e.type, e.created_at, e.detail, e.topic),
      not djr._fits(e.scope, e.user_id, e.topic, e.replay_of)
        or not djr._is_readable(e.id, e.xid, e.created_at)
    from (
      select _new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail, _new.topic, _new.replay_of
      from _new
      -- publish_many inserts in the order of keys; the ids have the order that its caller gave.
      order by _new.id
    ) e
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
      -- NOTIFY cannot carry it: a sweep brings it, and all behind it, which must not pass it.
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
        -- Where none of the others can be refused they need not be encoded.
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
  'The insert trigger of djr.event: refuses what is too large (DJR05), for whom it cannot be (DJR02) or what no runtime could read (DJR16), and notifies. Internal.';
