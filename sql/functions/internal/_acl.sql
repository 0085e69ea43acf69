-- Every privilege that exists, read from the catalogs, whoever granted it and however, but for those on columns of the app's own. A function or a type whose ACL is null has
-- PostgreSQL's default, which includes PUBLIC.
create or replace function djr._acl() returns table (
  grantee oid,
  kind text,
  object text,
  column_name text,
  privilege text
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select entry.grantee, listed.kind, listed.object, listed.column_name, held.privilege
  from (
    select 'schema' as kind, 'djr' as object, null::text as column_name, own.nspowner as owner, own.nspacl as acl
    from pg_namespace own
    where own.nspname = 'djr'
    union all
    select
      case own.relkind when 'S' then 'sequence' else 'table' end,
      own.oid::regclass::text,
      null,
      own.relowner,
      own.relacl
    from pg_class own
    where own.relnamespace = 'djr'::regnamespace
      and own.relkind in ('r', 'v', 'm', 'f', 'p', 'S')
    union all
    select 'table', own.oid::regclass::text, attribute.attname::text, own.relowner, attribute.attacl
    from pg_class own
    join pg_attribute attribute on attribute.attrelid = own.oid
    where own.relnamespace = 'djr'::regnamespace
      and not attribute.attisdropped
      and attribute.attacl is not null
      and not (
        own.oid = 'djr.event'::regclass
        and attribute.attname in (select app.column_name from djr._app_grants() app)
      )
    union all
    select
      'routine',
      own.oid::regprocedure::text,
      null,
      own.proowner,
      coalesce(own.proacl, acldefault('f', own.proowner))
    from pg_proc own
    where own.pronamespace = 'djr'::regnamespace
    union all
    select 'type', own.oid::regtype::text, null, own.typowner, coalesce(own.typacl, acldefault('T', own.typowner))
    from pg_type own
    where own.typnamespace = 'djr'::regnamespace
      and own.typrelid = 0
      and own.typelem = 0
      and own.typtype in ('d', 'e', 'b', 'r')
  ) listed
  cross join aclexplode(listed.acl) entry
  -- Who may grant a right to others can do more than who has it.
  cross join lateral unnest(
    array[entry.privilege_type] || case when entry.is_grantable then entry.privilege_type || ' WITH GRANT OPTION' end
  ) held (privilege)
  where held.privilege is not null
    and entry.grantee <> listed.owner
$$;

comment on function djr._acl() is
  'Every privilege on an object of djr that a role other than its owner has; grantee 0 is PUBLIC. Internal.';
