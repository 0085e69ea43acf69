create or replace function djr.report_presence(
  instance text,
  topics text[],
  user_ids text[],
  streams integer[],
  afresh boolean default false
) returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  _changed text[];
begin
  if report_presence.afresh then
    delete from djr.presence where presence.instance = report_presence.instance;
  end if;
  -- In one order, for no two instances to wait for one another; each writes rows of its own only.
  with told as (
    select told.topic, told.user_id, told.streams
    from unnest(report_presence.topics, report_presence.user_ids, report_presence.streams) told (topic, user_id, streams)
  ),
  removed as (
    delete from djr.presence
    using told
    where told.streams = 0
      and presence.instance = report_presence.instance
      and presence.topic = told.topic
      and presence.user_id = told.user_id
    returning presence.topic
  ),
  written as (
    insert into djr.presence (since, streams, instance, topic, user_id)
    select clock_timestamp(), told.streams, report_presence.instance, told.topic, told.user_id
    from told
    where told.streams > 0
    order by told.topic, told.user_id
    on conflict on constraint presence_pkey do update
    set streams = excluded.streams
    returning presence.topic
  )
  select array_agg(distinct told.topic) filter (where told.topic <> '') into _changed from told;
  if _changed is not null then
    -- Many names are not told: the others look at all that they have.
    perform pg_notify(
      settings.channel,
      case
        when octet_length(to_json(_changed)::text) < 7900 then json_build_object('presence', _changed)::text
        else '{"presence":null}'
      end
    )
    from djr.settings;
  end if;
  return coalesce(_changed, '{}');
end
$$;

comment on function djr.report_presence(text, text[], text[], integer[], boolean) is
  'Writes how many streams an instance has of which user for which topic (empty: any), 0 for none, and tells the other instances which topics changed. `afresh` forgets first what it wrote before. The runtime calls it in batches when its option presence is on.';
