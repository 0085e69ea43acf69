-- A transaction that deletes events, by djr.prune or by hand, records the loss for every consumer that had yet to get them. Each
-- place is read a second time under the consumer's lock: the lock waits for a transaction that is consuming, which may have read
-- these events.
create or replace function djr._overtake() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  -- Events that this transaction itself published were never visible to anybody else, so nobody loses them.
  _own xid8 := pg_current_xact_id_if_assigned();
begin
  for _id in
    select _consumer.id
    from djr._consumer
    join djr._consumer_place place on place.consumer = _consumer.id
    where exists (
      select
      from _old
      where djr._is_for(_consumer.types, _consumer.topics, _old.scope, _old.type, _old.topic)
        and djr._is_awaited(place.frontier, place.upto, place.last_id, _old.xid, _old.id)
        and _old.xid <> _own
    )
    order by _consumer.id
  loop
    perform from djr._consumer where _consumer.id = _id for no key update;
    update djr._consumer_place place
    set
      overtaken_at = coalesce(place.overtaken_at, clock_timestamp()),
      lost = coalesce(place.lost, 0) + missed.events,
      reason = coalesce(place.reason, 'events were deleted before it had them')
    from (
      select count(*) as events
      from _old
      join djr._consumer on _consumer.id = _id
      join djr._consumer_place at on at.consumer = _id
      where djr._is_for(_consumer.types, _consumer.topics, _old.scope, _old.type, _old.topic)
        and djr._is_awaited(at.frontier, at.upto, at.last_id, _old.xid, _old.id)
        and _old.xid <> _own
        and not exists (
          select
          from djr._consumer_done done
          where done.consumer = _id
            and done.event_id = _old.id
        )
    ) missed
    where place.consumer = _id
      and missed.events > 0;
  end loop;
  return null;
end
$$;

comment on function djr._overtake() is
  'The trigger of djr.event that marks a consumer as overtaken when events are deleted that it had yet to get. Internal.';
