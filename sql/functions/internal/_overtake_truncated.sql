-- The trigger runs before the table is emptied. TRUNCATE already holds the lock, so nothing is consumed or published meanwhile.
create or replace function djr._overtake_truncated() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  _lost bigint;
begin
  -- For djr._forget_activity, which runs when `restart identity` has reset the sequence.
  perform set_config('djr.last_event_id', coalesce(pg_sequence_last_value('djr.event_id_seq'), 0)::text, true);
  for _id, _lost in
    select
      _consumer.id,
      (
        select count(*)
        from djr.event
        where djr._is_for(_consumer.types, _consumer.topics, event.scope, event.type, event.topic)
          and djr._is_awaited(place.frontier, place.upto, place.last_id, event.xid, event.id)
          and not exists (
            select
            from djr._consumer_done done
            where done.consumer = _consumer.id
              and done.event_id = event.id
          )
      )
    from djr._consumer
    join djr._consumer_place place on place.consumer = _consumer.id
  loop
    continue when _lost = 0;
    update djr._consumer_place
    set
      overtaken_at = coalesce(_consumer_place.overtaken_at, clock_timestamp()),
      lost = coalesce(_consumer_place.lost, 0) + _lost,
      reason = coalesce(_consumer_place.reason, 'djr.event was truncated before it had all events')
    where _consumer_place.consumer = _id;
  end loop;
  return null;
end
$$;

comment on function djr._overtake_truncated() is
  'The trigger of djr.event that marks a consumer as overtaken when the table is truncated before it had all events. Internal.';
