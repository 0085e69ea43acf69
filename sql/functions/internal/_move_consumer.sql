create or replace function djr._move_consumer(place djr._consumer_place) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update djr._consumer_place
  set
    frontier = (_move_consumer.place).frontier,
    upto = (_move_consumer.place).upto,
    last_id = (_move_consumer.place).last_id,
    until_id = (_move_consumer.place).until_id,
    moved_at = clock_timestamp()
  where _consumer_place.consumer = (_move_consumer.place).consumer;

  delete from djr._consumer_done done
  where done.consumer = (_move_consumer.place).consumer
    and not djr._is_awaited(
      (_move_consumer.place).frontier, (_move_consumer.place).upto, (_move_consumer.place).last_id,
      done.xid, done.event_id
    );
end
$$;

comment on function djr._move_consumer(djr._consumer_place) is
  'Moves a consumer to this place, and forgets the events that it had out of order and that now lie behind the place. Internal.';
