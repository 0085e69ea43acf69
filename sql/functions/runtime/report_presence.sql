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
  -- The rows are written in one order, so that no two instances wait for each other; each writes only rows of its own.
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
    -- If many topics changed, the message names none of them, and the other instances read all topics that their clients hear.
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
  'Writes how many streams of each user an instance has for each topic (an empty topic: streams of any kind; 0: none any more), and tells the other instances which topics changed. `afresh` first deletes what the instance wrote before. The runtime calls it in batches when its option presence is on.';
