-- A doorbell only saves instances the wait for their next sweep. If the NOTIFY queue has no room for it, the change that it announces
-- must not fail: that may be the very change by which publishers stop using NOTIFY.
create or replace function djr._ring(channel text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_notification_queue_usage() < 0.9 then
    perform pg_notify(_ring.channel, '{"doorbell":"sweep"}');
  end if;
end
$$;

comment on function djr._ring(text) is
  'Has the runtimes that listen on a channel sweep at once, unless the NOTIFY queue is nearly full. Internal.';
