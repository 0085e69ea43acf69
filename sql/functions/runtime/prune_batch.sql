create or replace function djr.prune_batch(
  older_than interval default null,
  batch integer default 5000
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- Who holds the row of settings in an open transaction is no reason to wait for ever, and in silence.
set lock_timeout = '10s'
as $$
declare
  _older_than interval := coalesce(prune_batch.older_than, (select settings.retention from djr.settings));
  _pruned bigint;
  _expired timestamptz;
  _cutoff timestamptz;
  _limit timestamptz;
  -- Consumers that another transaction is at work for; null: there is no consumer.
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
    -- With storage off nothing is to be kept, and orders are rows all the same: long carried out by then.
    delete from djr.event
    using djr.settings
    where not settings.storage
      and event.replay_of = 0
      and event.created_at < clock_timestamp() - interval '1 hour';
    -- No retention set and none given: events are kept for ever.
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
      -- What committed late may be older than what a consumer waits for.
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
    -- Another pruner has those; both go on.
    for update skip locked
  ),
  deleted as (
    delete from djr.event
    using expired
    where event.id = expired.id
    returning event.id
  )
  -- The trigger event_forget says in the settings up to where.
  select count(*)
  into _pruned
  from deleted;

  if _pruned = 0 then
    -- Of events that are long gone: a transaction that deletes them with an older snapshot does not see what was recorded since.
    delete from djr.activity
    where activity.event_id < (select min(event.id) from djr.event);
  end if;
  return _pruned;
end
$$;

comment on function djr.prune_batch(interval, integer) is
  'Deletes the oldest events past the retention (or older than given), at most `batch` of them, and returns how many. Events that a consumer has not had stay, until they are older than the setting consumer_retention: then that consumer is overtaken (DJR22). Called in a transaction each until it returns 0, pruning never holds a lock for long: djr prune and the runtime do so.';
