-- SECURITY DEFINER for pg_control_system(), which some services keep from ordinary roles but not from the owner.
create or replace function djr.epoch() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select concat_ws(
      '_',
      coalesce(nullif(ltrim(lower(left(pg_walfile_name(pg_current_wal_lsn()), 8)), '0'), ''), '0'),
      to_hex(pg_database.oid::bigint),
      to_hex((select system_identifier from pg_control_system())),
      (select settings.generation from djr.settings)
    )
    from pg_database
    where pg_database.datname = current_database()
  );
end
$$;

comment on function djr.epoch() is
  'Which history of this database it is: timeline, database, cluster and generation. It changes after a failover, a point-in-time restore, a restore elsewhere, or when a runtime notices that a storage snapshot was rolled back: transaction ids no longer compare then.';
