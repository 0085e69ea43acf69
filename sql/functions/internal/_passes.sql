-- NOTIFY holds a lock of the whole cluster until the commit is on disk. While delivery sweeps no stored event takes it, and
-- what is not stored must not make commits queue either: so many pass in a tenth of a second, and the rest is dropped and
-- counted. All is dropped while NOTIFY's queue fills up: once it is full, commits fail. Sequences, as they are the same for all sessions at once, and nobody waits for anybody.
create or replace function djr._passes() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenth bigint;
  _place bigint;
begin
  if pg_sequence_last_value('djr.delivery_mode') is distinct from 2 then
    return true;
  end if;
  _tenth := trunc(extract(epoch from clock_timestamp()) * 10);
  _place := nextval('djr.unstored_place');
  if _place / 1048576 <> _tenth then
    perform setval('djr.unstored_place', _tenth * 1048576 + 1);
    _place := 1;
  end if;
  if _place % 1048576 <= coalesce(pg_sequence_last_value('djr.unstored_limit'), 1000) / 10
    and pg_notification_queue_usage() < coalesce((select settings.queue_limit from djr.settings), 1)
  then
    return true;
  end if;
  perform nextval('djr.unstored_dropped');
  return false;
end
$$;

comment on function djr._passes() is
  'Whether an event with store => false may be sent now: always while delivery is notify; while it is sweep, up to djr.unstored_limit a second, and none while the NOTIFY queue is fuller than the setting queue_limit. Counts those that may not. Internal.';
