-- How far pruning may go without deleting what a consumer still needs. A consumer that pruning would overtake is locked here, so that
-- the trigger which records the loss need not wait for it. A consumer whose lock another transaction holds is at work: it is not
-- overtaken in this round.
create or replace function djr._consumer_cutoff(expired timestamptz, out cutoff timestamptz, out busy integer[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _limit timestamptz := coalesce(
    (select clock_timestamp() - settings.consumer_retention from djr.settings),
    '-infinity'
  );
  _id integer;
  _oldest timestamptz;
begin
  cutoff := _consumer_cutoff.expired;
  busy := '{}';
  for _id, _oldest in
    select
      place.consumer,
      least(
        (
          select min(found.created_at)
          from (
            select event.created_at
            from djr.event
            where event.xid = any (array(select pg_snapshot_xip(place.frontier)))
            -- Without this line the planner might search the whole table for the oldest of them.
            offset 0
          ) found
        ),
        (
          select event.created_at
          from djr.event
          where event.xid >= pg_snapshot_xmax(place.frontier)
          order by event.xid, event.id
          limit 1
        )
      )
    from djr._consumer_place place
    order by place.consumer
  loop
    continue when _oldest is null or _oldest >= _consumer_cutoff.expired;
    if _oldest < _limit then
      perform from djr._consumer where _consumer.id = _id for no key update skip locked;
      if not found then
        busy := busy || _id;
      end if;
    end if;
    cutoff := least(cutoff, case when _id = any (busy) then _oldest else greatest(_oldest, _limit) end);
  end loop;
end
$$;

comment on function djr._consumer_cutoff(timestamptz) is
  'The time before which events may be pruned without overtaking a consumer, and the consumers that are at work now. Internal.';
