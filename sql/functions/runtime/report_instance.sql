create or replace function djr.report_instance(
  name text,
  uptime interval,
  connections integer,
  events bigint,
  deliveries bigint,
  errors bigint,
  lag_ms real,
  host text,
  version text
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- If something locks the row, this fails soon: the instance reports again 5 s later.
set lock_timeout = '1s'
as $$
declare
  _now timestamptz := clock_timestamp();
begin
  -- No other instance deletes this row, and rows that another instance is deleting are skipped: no two instances wait for each other.
  delete from djr.instance
  where instance.name in (
    select gone.name
    from djr.instance gone
    where gone.seen_at < _now - interval '1 day'
    for update skip locked
  );

  -- Rows of instances that were killed.
  delete from djr.presence
  where not exists (select from djr.instance where instance.name = presence.instance);

  insert into djr.instance (name, started_at, seen_at, connections, events, deliveries, errors, lag_ms, host, version)
  values (
    report_instance.name,
    _now - report_instance.uptime,
    _now,
    report_instance.connections,
    report_instance.events,
    report_instance.deliveries,
    report_instance.errors,
    report_instance.lag_ms,
    left(report_instance.host, 255),
    left(report_instance.version, 64)
  )
  on conflict on constraint instance_pkey do update
  set seen_at = excluded.seen_at,
      connections = excluded.connections,
      events = excluded.events,
      deliveries = excluded.deliveries,
      errors = excluded.errors,
      lag_ms = excluded.lag_ms;
end
$$;

comment on function djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text) is
  'Reports that a runtime is alive, with its totals since its start: writes its row of djr.instance, and deletes rows that were not updated for a day. lag_ms may be null. The runtime calls it every 5 s.';
