-- A commit that notifies holds a lock of the whole cluster until it is on disk. While delivery is sweep, stored events avoid that lock.
-- Events without a row need NOTIFY, and must not make commits queue for the lock: so only a limited number may be sent in each tenth
-- of a second, and the rest is dropped and counted. While the NOTIFY queue fills up, all are dropped, because commits fail once it is
-- full. Counter and limit are sequences: every session sees their current value at once, and no session waits for another.
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
