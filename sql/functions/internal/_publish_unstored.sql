-- djr._publish and djr.publish_many call it after they have validated the event. The size is checked before the event may be dropped,
-- so that a too large event is refused however many events there are.
create or replace function djr._publish_unstored(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  topic text
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint := nextval('djr.event_id_seq');
  _line text := djr._encode_unstored(_id, scope, user_id, type, detail, topic);
begin
  if octet_length(_line) > 7999 then
    perform djr._refuse_size(type, octet_length(_line), 7999, false);
  end if;
  if not djr._passes() then
    return null;
  end if;
  perform pg_notify(coalesce((select settings.channel from djr.settings), djr.channel()), _line);
  return _id;
end
$$;

comment on function djr._publish_unstored(text, text, text, jsonb, text) is
  'Publishes an event with store => false: NOTIFY and no row. Returns its id; null where it was dropped. Internal.';
