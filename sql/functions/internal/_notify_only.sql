-- While storage is off there is no row, and so no trigger. The id still comes from the sequence, and the same rules apply, also those
-- that the trigger checks. It notifies in every delivery mode, because no sweep finds an event without a row.
-- The first migrations made it without a topic.
drop function if exists djr._notify_only(text, text, text, jsonb);

create or replace function djr._notify_only(
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
  _id bigint := pg_catalog.nextval('djr.event_id_seq');
  _line text := djr._encode(_id, null, scope, user_id, type, pg_catalog.clock_timestamp(), detail, topic);
begin
  if djr._fits(scope, user_id, topic, null) is not true then
    perform djr._validate(scope, user_id, type, detail, null, '', topic);
  end if;
  -- NOTIFY takes a transaction id at commit anyway. Taken now, it lets a resume see that this transaction was in progress when storage
  -- was switched on again.
  perform pg_catalog.pg_current_xact_id();
  if pg_catalog.octet_length(_line) > 7999 then
    perform djr._refuse_size(type, pg_catalog.octet_length(_line), 7999, false);
  end if;
  perform pg_catalog.pg_notify(coalesce((select settings.channel from djr.settings), djr.channel()), _line);
  return _id;
end
$$;

comment on function djr._notify_only(text, text, text, jsonb, text) is
  'Publishes an event while storage is off. Internal.';
