create or replace function djr._excess_rights() returns table (
  role text,
  rights text[],
  usable boolean
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with granted as (
    select
      case grantee.role when 'public' then 0 else (select oid from pg_roles where rolname = grantee.role) end as grantee,
      grantee.capability
    from djr.grantee
  ),
  expected as (
    select
      granted.grantee,
      case listed.kind when 'function' then 'routine' else listed.kind end as kind,
      case listed.kind
        when 'schema' then listed.object
        when 'function' then to_regprocedure(listed.object)::text
        else to_regclass(listed.object)::text
      end as object,
      column_name,
      listed.privilege
    from granted
    join djr._rights() listed on listed.capability = granted.capability
    left join lateral unnest(listed.columns) column_name on true
  ),
  actual as materialized (
    select * from djr._acl()
  ),
  excess as (
    select * from actual
    except
    select * from expected
  )
  select
    case excess.grantee when 0 then 'public' else pg_get_userbyid(excess.grantee)::text end,
    array_agg(
      lower(excess.privilege) || coalesce(' (' || excess.column_name || ')', '') || ' on ' || excess.object
      order by excess.object collate "C", excess.privilege, excess.column_name
    ),
    exists (
      select
      from actual
      where actual.kind = 'schema'
        and actual.grantee in (0, excess.grantee)
    )
  from excess
  group by excess.grantee
  union all
  -- Membership in one of PostgreSQL's predefined roles gives rights that stand in no ACL.
  select
    member.rolname::text,
    array_agg('everything that members of ' || of_server.rolname || ' may' order by of_server.rolname),
    true
  from pg_roles member
  join pg_roles of_server on of_server.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain')
  where not member.rolsuper
    and member.rolname !~ '^pg_'
    and pg_has_role(member.oid, of_server.oid, 'usage')
    and member.oid <> (select nspowner from pg_namespace where nspname = 'djr')
  group by member.rolname
  order by 1
$$;

comment on function djr._excess_rights() is
  'The roles that have more rights on djr than its grants gave them, and those rights; a right is usable only if the role may use the schema. The owner and superusers are left out; public means every role. Internal: djr doctor and djr migrate print it.';
