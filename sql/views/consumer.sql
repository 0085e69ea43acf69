-- The filters are written out instead of calling djr._is_for: a function in a view runs with the rights of the role that reads the view.
create or replace view djr.consumer as
select
  _consumer.name,
  _consumer.types,
  _consumer.topics,
  _consumer.created_at,
  place.moved_at,
  due.events as lag,
  pg_catalog.clock_timestamp() operator(pg_catalog.-) due.oldest as age,
  case
    when _consumer.mark operator(pg_catalog.=) _consumer.xmin then place.reason
    else 'it was restored from a dump'
  end as overtaken,
  place.overtaken_at,
  place.lost
from djr._consumer
join djr._consumer_place place on place.consumer operator(pg_catalog.=) _consumer.id
cross join lateral (
  select
    pg_catalog.count(*) as events,
    pg_catalog.min(awaited.created_at) as oldest
  from (
    select event.created_at
    from (
      select *
      from djr.event
      where event.xid operator(pg_catalog.=) any (array(select pg_catalog.pg_snapshot_xip(place.frontier)))
      union all
      select *
      from djr.event
      where event.xid operator(pg_catalog.>=) pg_catalog.pg_snapshot_xmax(place.frontier)
    ) event
    where (
        place.upto is null
        or event.id operator(pg_catalog.>) place.last_id
        or not pg_catalog.pg_visible_in_snapshot(event.xid, place.upto)
      )
      and event.scope operator(pg_catalog.<>) 'control'
      and (_consumer.types is null or event.type operator(pg_catalog.=) any (_consumer.types))
      and (_consumer.topics is null or event.topic operator(pg_catalog.=) any (_consumer.topics))
      and not exists (
        select
        from djr._consumer_done done
        where done.consumer operator(pg_catalog.=) _consumer.id
          and done.event_id operator(pg_catalog.=) event.id
      )
    limit 100000
  ) awaited
) due;

comment on view djr.consumer is
  'The consumers, and how far each is behind. Made by djr.create_consumer.';
comment on column djr.consumer.name is 'The name.';
comment on column djr.consumer.types is 'The types that it gets; null: every type.';
comment on column djr.consumer.topics is 'The topics that it gets; null: every topic, and events without a topic.';
comment on column djr.consumer.created_at is 'When it was created.';
comment on column djr.consumer.moved_at is 'When its place moved last.';
comment on column djr.consumer.lag is 'How many events it has yet to get; counted up to 100,000.';
comment on column djr.consumer.age is 'How long ago the oldest of them was inserted; null: it has had all events.';
comment on column djr.consumer.overtaken is 'Why it stands still until djr.reset_consumer is called; null: it does not stand still.';
comment on column djr.consumer.overtaken_at is 'When it first lost events; null: it has lost none.';
comment on column djr.consumer.lost is 'How many events it has lost, as far as that is known.';
