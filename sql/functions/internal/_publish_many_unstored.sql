-- djr.publish_many calls it after it has validated all events. As many events as fit go into one message.
create or replace function djr._publish_many_unstored(events jsonb, ids bigint[]) returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _channel text := coalesce((select settings.channel from djr.settings), djr.channel());
  _ids bigint[] := ids;
  _place integer;
  _type text;
  _line text;
  _message text;
begin
  for _place, _type, _line in
    select
      element.place,
      element.value ->> 'type',
      djr._encode_unstored(
        ids[element.place],
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'type',
        coalesce(element.value -> 'detail', '{}'),
        element.value ->> 'topic'
      )
    from jsonb_array_elements(events) with ordinality element (value, place)
    where element.value -> 'store' = 'false'
    order by element.place
  loop
    if octet_length(_line) > 7999 then
      perform djr._refuse_size(_type, octet_length(_line), 7999, false);
    end if;
    if not djr._passes() then
      _ids[_place] := null;
    elsif octet_length(_message) + 1 + octet_length(_line) <= 7999 then
      _message := _message || E'\n' || _line;
    else
      if _message is not null then
        perform pg_notify(_channel, _message);
      end if;
      _message := _line;
    end if;
  end loop;
  if _message is not null then
    perform pg_notify(_channel, _message);
  end if;
  return _ids;
end
$$;

comment on function djr._publish_many_unstored(jsonb, bigint[]) is
  'Sends the elements of djr.publish_many that have "store": false, under these ids, and returns the ids, null for what was dropped. Internal.';
