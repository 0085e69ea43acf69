-- The next events after a place. A window is what one snapshot sees and the place's frontier does not; the events of a window come in
-- the order of their ids, so an event that was inserted after another had committed comes after it. If the window has at most 1,000
-- events, they are found by the index on xid and all of them are held at once. If it has more, as when a consumer was away, the place
-- remembers the window, and it is read by id, batch by batch.
create or replace function djr._take_due(
  consumer djr._consumer,
  place djr._consumer_place,
  max_events integer,
  purpose text,
  out ids bigint[],
  out behind djr._consumer_place
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _place djr._consumer_place := _take_due.place;
  _marked boolean := exists (select from djr._consumer_done done where done.consumer = (_take_due.consumer).id);
  _secret bytea := uuid_send((_take_due.consumer).secret);
  _is_new boolean := false;
  _in_progress xid8[];
  -- The ids of the whole window if it is small; null if it is large.
  _few bigint[];
  _some bigint[];
  _wanted integer;
  _at bigint;
begin
  ids := '{}';
  loop
    if _place.upto is null then
      _is_new := true;
      _place.upto := djr._snapshot();
      _in_progress := array(select pg_snapshot_xip(_place.frontier));
      _few := array(
        select found.id
        from (
          (
            select event.id
            from djr.event
            where event.xid = any (_in_progress)
              and pg_visible_in_snapshot(event.xid, _place.upto)
            limit 1001
          )
          union all
          (
            select event.id
            from djr.event
            where event.xid >= pg_snapshot_xmax(_place.frontier)
              and event.xid < pg_snapshot_xmax(_place.upto)
              and pg_visible_in_snapshot(event.xid, _place.upto)
            order by event.xid, event.id
            limit 1001
          )
        ) found
        limit 1001
      );
      if cardinality(_few) > 1000 then
        _few := null;
        select min(found.id) - 1, max(found.id)
        into _place.last_id, _place.until_id
        from (
          select event.id
          from djr.event
          where event.xid = any (_in_progress)
            and pg_visible_in_snapshot(event.xid, _place.upto)
          union all
          select event.id
          from djr.event
          where event.xid >= pg_snapshot_xmax(_place.frontier)
            and event.xid < pg_snapshot_xmax(_place.upto)
            and pg_visible_in_snapshot(event.xid, _place.upto)
          -- Without this line the planner might search the whole table for the lowest id.
          offset 0
        ) found;
      else
        select coalesce(min(few.id) - 1, 0), coalesce(max(few.id), 0)
        into _place.last_id, _place.until_id
        from unnest(_few) few (id);
      end if;
    else
      _few := null;
    end if;

    _at := _place.last_id;
    loop
      _wanted := _take_due.max_events - cardinality(ids);
      if _few is null then
        _some := array(
          select event.id
          from djr.event
          where event.id > _at
            and event.id <= _place.until_id
            and pg_visible_in_snapshot(event.xid, _place.upto)
            and not pg_visible_in_snapshot(event.xid, _place.frontier)
            and djr._is_for(
              (_take_due.consumer).types, (_take_due.consumer).topics, event.scope, event.type, event.topic
            )
            and not (
              _marked
              and exists (
                select
                from djr._consumer_done done
                where done.consumer = (_take_due.consumer).id
                  and done.event_id = event.id
              )
            )
          order by event.id
          limit _wanted
        );
      else
        _some := array(
          select event.id
          from djr.event
          where event.id = any (_few)
            and event.id > _at
            and djr._is_for(
              (_take_due.consumer).types, (_take_due.consumer).topics, event.scope, event.type, event.topic
            )
            and not (
              _marked
              and exists (
                select
                from djr._consumer_done done
                where done.consumer = (_take_due.consumer).id
                  and done.event_id = event.id
              )
            )
          order by event.id
          limit _wanted
        );
      end if;
      _at := coalesce(_some[cardinality(_some)], _at);
      if _take_due.purpose = 'share' then
        -- Each event is locked until the transaction ends. The next caller that gets the lock finds the event done, or due again.
        -- Any role may take an advisory lock whose key it knows, and would keep the event from the consumer: so the key is a secret.
        ids := ids || array(
          select candidate.id
          from unnest(_some) candidate (id)
          where pg_try_advisory_xact_lock(
            ('x' || left(encode(sha256(_secret || int8send(candidate.id)), 'hex'), 16))::bit(64)::bigint
          )
        );
      else
        ids := ids || _some;
      end if;
      exit when cardinality(_some) < _wanted or cardinality(ids) >= _take_due.max_events;
    end loop;

    if _take_due.purpose = 'look' and cardinality(ids) > 0 then
      _place.last_id := ids[1] - 1;
      exit;
    end if;
    _place.last_id := _at;
    exit when cardinality(ids) >= _take_due.max_events and _at < _place.until_id;
    _place.frontier := _place.upto;
    _place.upto := null;
    _place.last_id := null;
    _place.until_id := null;
    exit when _is_new or cardinality(ids) >= _take_due.max_events;
  end loop;
  behind := _place;
end
$$;

comment on function djr._take_due(djr._consumer, djr._consumer_place, integer, text) is
  'The next events for a consumer at this place, and the place after them. Purpose take: all of them; share: those that no other caller has taken; look: finds only the first, and returns the place right before it. Internal.';
