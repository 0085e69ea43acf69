create or replace view djr.online as
select
  nullif(presence.topic, '') as topic,
  presence.user_id,
  pg_catalog.sum(presence.streams)::integer as streams,
  pg_catalog.min(presence.since) as since
from djr.presence
join djr.instance on instance.name operator(pg_catalog.=) presence.instance
where instance.seen_at operator(pg_catalog.>) (pg_catalog.clock_timestamp() operator(pg_catalog.-) interval '30 seconds')
group by presence.topic, presence.user_id;

comment on view djr.online is
  'Which users hear a topic now; rows whose topic is null say which users are connected at all. It has rows when the runtime''s option presence is on. The users of an instance that was killed disappear 30 s later.';
comment on column djr.online.topic is 'The topic; null: the row counts all streams of the user.';
comment on column djr.online.user_id is 'The user, who has one row however many tabs and instances there are.';
comment on column djr.online.streams is 'How many streams, on all instances together.';
comment on column djr.online.since is 'When the first of these streams was opened.';
