-- Runs for every publish, so it counts what it calls: each query and each function costs as much as an index. Without NOTIFY
-- one query says that nothing is to be refused; with it each event is encoded once, and as many as fit are packed into
-- one message, because each is one that every listener must fetch.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Read without MVCC and without a query. Null until the mode was first set.
  _notify boolean := coalesce(pg_sequence_last_value('djr.delivery_mode'), 1) = 1;
  _channel text;
  _line text;
  _misfit boolean;
  _header json;
  _message text;
begin
  -- The header takes at most 110 bytes, twice a type's 200 characters and six times a user's 255: below 6,000 no
  -- message is too large, and needs no more exact look.
  if not _notify and not exists (
    select
    from _new
    where octet_length(concat(_new.type, _new.user_id, _new.detail)) > 6000
      or case when _new.user_id is null then _new.scope = 'user' else _new.scope = 'public' end
  ) then
    return null;
  end if;

  for _line, _misfit in
    select
      djr._encode(_new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail),
      case when _new.user_id is null then _new.scope = 'user' else _new.scope = 'public' end
    from _new
  loop
    if _misfit or octet_length(_line) > 7999 then
      _header := split_part(_line, E'\t', 1)::json;
      perform djr._validate(_header ->> 2, _header ->> 3, _header ->> 4, '{}', null);
      perform djr._refuse_size(_header ->> 4, octet_length(_line));
    end if;
    continue when not _notify;

    if _message is null then
      _message := _line;
    elsif octet_length(_message) + 1 + octet_length(_line) <= 7999 then
      _message := _message || E'\n' || _line;
    else
      _channel := coalesce(_channel, (select settings.channel from djr.settings));
      perform pg_notify(_channel, _message);
      _message := _line;
    end if;
  end loop;

  if _message is not null then
    perform pg_notify(settings.channel, _message) from djr.settings;
  end if;
  return null;
end
$$;

comment on function djr._announce() is
  'The insert trigger of djr.event: refuses what is too large (DJR05) or for whom it cannot be (DJR02), and notifies. Internal.';
