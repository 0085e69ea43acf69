-- Reads what was inserted once, encodes each event once, and packs as many as fit into one NOTIFY, because each NOTIFY
-- is a message that every listener must fetch. The expressions are PL/pgSQL's and not the query's: that is measurably
-- cheaper, and this runs for every publish.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Read without MVCC and without a query. Null until the mode was first set.
  _notify boolean := coalesce(pg_sequence_last_value('djr.delivery_mode'), 1) = 1;
  _channel text;
  _event record;
  _line text;
  _size integer;
  _message text;
  _filled integer := 0;
begin
  if _notify then
    select settings.channel into _channel from djr.settings;
  end if;

  for _event in
    select _new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail
    from _new
  loop
    if (_event.scope = 'user') <> (_event.user_id is not null) and _event.scope <> 'system' then
      perform djr._validate(_event.scope, _event.user_id, _event.type, _event.detail, null);
    end if;

    _line := djr._encode(
      _event.id, _event.xid, _event.scope, _event.user_id, _event.type, _event.created_at, _event.detail
    );
    _size := octet_length(_line);
    if _size > 7999 then
      perform djr._refuse_size(_event.type, _size);
    end if;

    if _notify then
      if _filled = 0 then
        _message := _line;
        _filled := _size;
      elsif _filled + 1 + _size <= 7999 then
        _message := _message || E'\n' || _line;
        _filled := _filled + 1 + _size;
      else
        perform pg_notify(_channel, _message);
        _message := _line;
        _filled := _size;
      end if;
    end if;
  end loop;

  if _filled > 0 then
    perform pg_notify(_channel, _message);
  end if;
  return null;
end
$$;

comment on function djr._announce() is
  'The insert trigger of djr.event: refuses what is too large (DJR05) or for whom it cannot be (DJR02), and notifies. Internal.';
