-- An app may add columns to djr.event and let roles write them by a plain INSERT. What it grants on these columns is its own concern.
create or replace function djr._app_grants() returns table (
  grantee oid,
  column_name name,
  privilege text,
  is_grantable boolean
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select entry.grantee, own.attname, entry.privilege_type, entry.is_grantable
  from pg_attribute own
  cross join aclexplode(own.attacl) entry
  where own.attrelid = 'djr.event'::regclass
    and own.attnum > 0
    and not own.attisdropped
    and own.attname <> all (
      array['id', 'xid', 'created_at', 'replay_of', 'scope', 'type', 'user_id', 'topic', 'key', 'detail', 'private_data']
    )
$$;

comment on function djr._app_grants() is
  'The privileges on columns of djr.event that the app has added. A migration leaves them alone. Internal.';
