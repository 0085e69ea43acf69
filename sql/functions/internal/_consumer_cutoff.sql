-- Up to when pruning may go for the consumers' sake. One that would be overtaken is locked, so that the trigger need not wait; one
-- that is at work, whose lock another transaction has, is not overtaken in this round.
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
            -- Else the oldest of them might be looked for in all of the table.
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
  'How old events must be for pruning, with regard to consumers, and which of those are at work. Internal.';
