-- SECURITY DEFINER, because it calls pg_control_system(), which some hosting services forbid to ordinary roles but not to the owner.
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
  'Names the history of this database: timeline, database, cluster and generation. It changes after a failover, a point-in-time restore or a restore elsewhere, and when a runtime notices that the storage was rolled back to a snapshot: transaction ids of two histories do not compare.';
