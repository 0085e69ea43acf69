create or replace function djr.reset_consumer(
  name text,
  "from" text default 'place'
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _found djr._consumer := djr._find_consumer(reset_consumer.name);
  _frontier pg_snapshot;
begin
  if reset_consumer."from" is distinct from 'place' then
    if djr._has_fixed_snapshot() then
      -- With mode share other callers may have noted events as done since this snapshot. It does not see those rows, so they could not
      -- be deleted here, and they would hide events from the consumer.
      raise exception using
        errcode = 'DJR10',
        message = format(
          'a consumer must be reset in isolation level read committed (it is %s)',
          current_setting('transaction_isolation')
        ),
        detail = 'It does not see what other callers have done meanwhile.',
        hint = 'begin isolation level read committed; select djr.reset_consumer(...); commit;';
    end if;
    -- Events that a restore brought are marked first, to tell them from new ones. This call and the next lock the settings before the
    -- consumer is locked, in the same order as a deletion.
    perform djr.repair_xids();
    _frontier := djr._consumer_from(reset_consumer."from");
  end if;
  perform from djr._consumer where _consumer.id = _found.id for update;
  if reset_consumer."from" = 'place' then
    if not exists (select from djr._consumer where _consumer.id = _found.id and _consumer.mark = _consumer.xmin) then
      perform djr._place_of(_found);
    end if;
    update djr._consumer_place
    set
      overtaken_at = null,
      reason = null,
      lost = null
    where _consumer_place.consumer = _found.id;
    return;
  end if;

  delete from djr._consumer_done where _consumer_done.consumer = _found.id;
  update djr._consumer_place
  set
    frontier = _frontier,
    upto = null,
    last_id = null,
    until_id = null,
    overtaken_at = null,
    reason = null,
    lost = null,
    moved_at = clock_timestamp()
  where _consumer_place.consumer = _found.id;
  -- Two updates: the first writes the row, so that its xmin is this transaction; the second stores that xmin as the mark.
  update djr._consumer set mark = null where _consumer.id = _found.id;
  update djr._consumer set mark = _consumer.xmin where _consumer.id = _found.id;
end
$$;

comment on function djr.reset_consumer(text, text) is
  'Lets a consumer that was overtaken (DJR22) go on. By default it keeps its place, and lost events stay lost; or it begins anew at now, start, or a position, as in djr.create_consumer. It waits for a transaction that is consuming.';
