create or replace function djr._consumer_from("from" text) returns pg_snapshot
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _from pg_snapshot;
  _own xid8 := pg_current_xact_id_if_assigned();
  _pruned xid8;
begin
  if _consumer_from."from" = 'now' then
    return djr._snapshot();
  elsif _consumer_from."from" = 'start' then
    -- A snapshot in which nothing is visible. Events that a restore brought have transaction 3, so they are new to it as well.
    return '1:1:';
  elsif _consumer_from."from" ~ E'^\\d{1,19}:\\d{1,19}:(\\d{1,19}(,\\d{1,19})*)?$' then
    begin
      _from := _consumer_from."from"::pg_snapshot;
    exception when invalid_text_representation then
      -- It is refused below, with a message of our own.
    end;
  end if;
  if _from is null or pg_snapshot_xmax(_from) > pg_snapshot_xmax(pg_current_snapshot()) then
    raise exception using
      errcode = 'DJR10',
      message = format(
        'from must be now, start, or a position of this database (it is %s)',
        coalesce(to_json(left(_consumer_from."from", 200))::text, 'null')
      ),
      detail = case
        when _from is null then 'A position is what djr.position() returned.'
        else 'It lies in the future: it is one of another database.'
      end,
      hint = 'now: what commits from now on. start: everything that is stored. Or: select djr.position().';
  end if;

  -- This lock keeps others from deleting events until this transaction ends: a transaction that deletes would not see the new
  -- consumer, and so would not record what it loses.
  select settings.pruned_xid into _pruned from djr.settings for share;
  if _pruned is not null and not pg_visible_in_snapshot(_pruned, _from) then
    raise exception using
      errcode = 'DJR22',
      message = 'events behind this position were deleted',
      detail = format('The position is %s; transaction %s published what was deleted.', left(_from::text, 200), _pruned),
      hint = 'Fetch the state anew and begin at its position, or begin at ''start'': with what is still stored.';
  end if;
  -- The consumer is to get what the caller's own transaction publishes after this call as well.
  if _own is not null and pg_visible_in_snapshot(_own, _from) then
    return djr._without(_from, _own);
  end if;
  return _from;
end
$$;

comment on function djr._consumer_from(text) is
  'Where a consumer begins: now, start, or a position. Internal.';
