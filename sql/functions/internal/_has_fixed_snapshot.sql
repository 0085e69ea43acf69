-- PostgreSQL treats read uncommitted as read committed, but reports the name that was asked for.
create or replace function djr._has_fixed_snapshot() returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select current_setting('transaction_isolation') in ('repeatable read', 'serializable')
$$;

comment on function djr._has_fixed_snapshot() is
  'Whether all statements of this transaction see one snapshot: repeatable read or serializable. Internal.';
