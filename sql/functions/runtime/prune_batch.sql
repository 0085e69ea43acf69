create or replace function djr.prune_batch(
  older_than interval default null,
  batch integer default 5000
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- If an open transaction holds the row of the settings, this fails after 10 s rather than wait for ever in silence.
set lock_timeout = '10s'
as $$
declare
  _older_than interval := coalesce(prune_batch.older_than, (select settings.retention from djr.settings));
  _pruned bigint;
  _expired timestamptz;
  _cutoff timestamptz;
  _limit timestamptz;
  -- The consumers for which another transaction is at work; null if there are no consumers.
  _busy integer[];
begin
  if prune_batch.older_than < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = format('older_than must not be negative (it is %s)', prune_batch.older_than),
      detail = format('It is %s.', prune_batch.older_than),
      hint = 'For example ''30 days''.';
  elsif prune_batch.batch is null or prune_batch.batch < 1 then
    raise exception using
      errcode = 'DJR10',
      message = format('batch must be at least 1 (it is %s)', coalesce(prune_batch.batch::text, 'null')),
      detail = format('It is %s.', coalesce(prune_batch.batch::text, 'null')),
      hint = 'Leave it out for the default of 5000.';
  end if;
  if _older_than is null then
    -- While storage is off only orders are stored. After an hour they have long been carried out, so they are deleted.
    delete from djr.event
    using djr.settings
    where not settings.storage
      and event.replay_of = 0
      and event.created_at < clock_timestamp() - interval '1 hour';
    -- Without a retention and without an argument, events are kept for ever.
    return 0;
  end if;

  _expired := clock_timestamp() - _older_than;
  _cutoff := _expired;
  if exists (select from djr._consumer) then
    select awaited.cutoff, awaited.busy into _cutoff, _busy from djr._consumer_cutoff(_expired) awaited;
    select coalesce(clock_timestamp() - settings.consumer_retention, '-infinity') into _limit from djr.settings;
  end if;

  with expired as (
    select event.id
    from djr.event
    where event.created_at < _cutoff
      -- An event that committed late may be older than the cutoff, so each event is checked against every place as well.
      and (
        _busy is null
        or not exists (
          select
          from djr._consumer_place place
          where djr._is_awaited(place.frontier, place.upto, place.last_id, event.xid, event.id)
            and (event.created_at >= _limit or place.consumer = any (_busy))
        )
      )
    order by event.created_at
    limit prune_batch.batch
    -- Rows that another pruner has locked are left to it, so that neither waits.
    for update skip locked
  ),
  deleted as (
    delete from djr.event
    using expired
    where event.id = expired.id
    returning event.id
  )
  -- The trigger event_forget records in the settings up to which transaction events are gone.
  select count(*)
  into _pruned
  from deleted;

  if _pruned = 0 then
    -- Activity of events that are long gone: a transaction that deleted them did not see activity recorded after its snapshot.
    delete from djr.activity
    where activity.event_id < (select min(event.id) from djr.event);
  end if;
  return _pruned;
end
$$;

comment on function djr.prune_batch(interval, integer) is
  'Deletes the oldest events past the retention (or older than the argument), at most `batch` of them, and returns how many. Events that a consumer has yet to get stay until they are older than the setting consumer_retention; then they are deleted, and that consumer is overtaken (DJR22). Call it until it returns 0, each time in a transaction of its own, as djr prune and the runtime do: no lock is held for long then.';
