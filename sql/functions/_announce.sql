-- Reads what was inserted once, encodes each event once, and packs as many as fit into one NOTIFY,
-- because each NOTIFY is a message that every listener must fetch.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _channel text;
  _notify boolean;
  _event record;
  _size integer;
  _message text := '';
  _filled integer := 0;
begin
  select settings.channel, delivery_mode.last_value = 1
  into _channel, _notify
  from djr.settings, djr.delivery_mode;

  for _event in
    select
      _new.type,
      djr._encode(_new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail) as line
    from _new
  loop
    _size := octet_length(_event.line);
    if _size > 7999 then
      perform djr._refuse_size(_event.type, _size);
    end if;
    if _notify then
      if _filled = 0 then
        _message := _event.line;
        _filled := _size;
      elsif _filled + 1 + _size <= 7999 then
        _message := _message || E'\n' || _event.line;
        _filled := _filled + 1 + _size;
      else
        perform pg_notify(_channel, _message);
        _message := _event.line;
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
  'The insert trigger of djr.event: refuses what is too large (DJR05) and notifies. Internal.';
