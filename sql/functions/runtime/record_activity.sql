create or replace function djr.record_activity(
  instance text,
  event_ids bigint[],
  statuses text[],
  user_ids text[],
  recipients integer[]
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _recorded bigint;
begin
  with known as materialized (
    select event.id
    from djr.event
    where event.id = any (record_activity.event_ids)
      and (select settings.activity from djr.settings) <> 'off'
    -- The events are locked: a transaction that deletes one of them waits, and then deletes this activity with it. An event that is
    -- being deleted now is left out.
    for key share skip locked
  )
  insert into djr.activity (event_id, status, user_id, recipients, instance)
  select step.event_id, step.status, step.user_id, step.recipients, record_activity.instance
  from unnest(
    record_activity.event_ids,
    record_activity.statuses,
    record_activity.user_ids,
    record_activity.recipients
  ) step (event_id, status, user_id, recipients)
  join known on known.id = step.event_id;
  get diagnostics _recorded = row_count;
  return _recorded;
end
$$;

comment on function djr.record_activity(text, bigint[], text[], text[], integer[]) is
  'Records what became of events, one step an element, and returns how many rows were written. Events without a row, or pruned meanwhile, are left out; with activity off nothing is recorded. The runtime calls it in batches.';
