-- Each caller that shares a consumer locks the events that it takes, one lock an event, and notes them in djr._consumer_done. The place
-- moves on once no event before it is open. Whichever caller gets the lock of the place's row moves it; the others do not wait.
create or replace function djr._share_due(consumer djr._consumer, max_events integer) returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- In repeatable read and serializable one snapshot serves the whole transaction, so reading again shows nothing new.
  _is_fixed boolean := djr._has_fixed_snapshot();
  _place djr._consumer_place;
  _ids bigint[];
  _taken integer;
begin
  if _is_fixed then
    -- This fails with 40001 if the place has moved since the snapshot, and keeps it from moving until the transaction ends.
    perform from djr._consumer_place place where place.consumer = (_share_due.consumer).id for share;
  end if;
  loop
    _place := djr._place_of(_share_due.consumer);
    select due.ids into _ids
    from djr._take_due(_share_due.consumer, _place, least(_share_due.max_events, 1000), 'share') due;
    _taken := cardinality(_ids);
    exit when _taken = 0;
    if not _is_fixed then
      -- A lock may have been free because another caller took the event and committed after the events were read here. Such events are
      -- dropped from the list.
      _ids := array(
        select event.id
        from djr.event
        join djr._consumer_place place on place.consumer = (_share_due.consumer).id
        where event.id = any (_ids)
          and djr._is_awaited(place.frontier, place.upto, place.last_id, event.xid, event.id)
          and not exists (
            select
            from djr._consumer_done done
            where done.consumer = place.consumer
              and done.event_id = event.id
          )
      );
    end if;
    -- With a fixed snapshot a row that another caller inserted meanwhile raises 40001.
    insert into djr._consumer_done (consumer, event_id, xid)
    select (_share_due.consumer).id, event.id, event.xid
    from djr.event
    where event.id = any (_ids)
    on conflict do nothing;
    exit when cardinality(_ids) > 0;
  end loop;

  -- With a fixed snapshot moving the place makes concurrent callers fail with 40001, so it moves only when 5,000 events are noted.
  if not _is_fixed
    or (
      select count(*)
      from (select from djr._consumer_done done where done.consumer = (_share_due.consumer).id limit 5000) noted
    ) = 5000
  then
    perform djr._fold_done(_share_due.consumer);
  end if;
  return _ids;
end
$$;

comment on function djr._share_due(djr._consumer, integer) is
  'Takes events of a consumer that several callers share. Internal.';
