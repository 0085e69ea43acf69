-- Whoever deletes events, djr.prune or somebody by hand, tells the consumers that had not had them, in the same transaction. The
-- place is looked at again under its lock: it waits for a transaction that consumes, as that may have read them.
create or replace function djr._overtake() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  -- What this transaction itself published nobody else has ever seen.
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
  'The trigger of djr.event by which a consumer knows that events were deleted that it had not had. Internal.';
