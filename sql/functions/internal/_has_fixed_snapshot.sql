-- PostgreSQL takes read uncommitted for read committed, and says the former.
create or replace function djr._has_fixed_snapshot() returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select current_setting('transaction_isolation') in ('repeatable read', 'serializable')
$$;

comment on function djr._has_fixed_snapshot() is
  'Whether all statements of this transaction see the same. Internal.';
