-- Checks, before anything else of djr runs, that everything in the schema belongs to the installing role, and locks out other
-- installations. It is no part of a migration, as it has to run before the first one that is applied: `djr migrate` runs it, and
-- `--print` prints it.
do $$
declare
  _path pg_catalog.text := pg_catalog.current_setting('search_path');
  _mine pg_catalog.oid[];
  _aliens pg_catalog.text[];
  _owner pg_catalog.name;
begin
  -- The names in this block are looked up in pg_catalog alone.
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

  -- If another transaction is creating the schema now, this waits until that one has ended.
  if to_regnamespace('djr') is null then
    create schema djr;
  end if;

  -- The role itself and the roles of which it is a member. pg_has_role would call a superuser a member of every role, and the superuser
  -- would then run, with its own rights, whatever one of them left here.
  with recursive mine (role) as (
    select oid from pg_roles where rolname = current_user
    union
    select granted.role
    from mine
    cross join lateral (
      select membership.roleid
      from pg_auth_members membership
      where membership.member = mine.role
      union all
      select 'pg_database_owner'::regrole::oid
      from pg_database
      where datname = current_database() and datdba = mine.role
    ) granted (role)
  )
  select array_agg(mine.role) into _mine from mine;

  select pg_get_userbyid(own.nspowner) into _owner
  from pg_namespace own
  where own.nspname = 'djr' and own.nspowner <> all (_mine);
  if found then
    raise exception using
      errcode = 'DJR14',
      message = format('the schema djr must belong to %I, which installs djr, or to a role that it is a member of (it belongs to %I)', current_user, _owner),
      detail = 'Whoever owns the schema could put code of theirs into it, to be run with the rights of the role that installs.',
      hint = format('Install as %I; or, as a superuser: alter schema djr owner to %I.', _owner, current_user);
  end if;

  -- Only the schema's owner can comment on the schema, and COMMENT holds its lock until the transaction ends. So it serves as a lock
  -- that exists before any table does.
  execute format('comment on schema djr is %L', obj_description('djr'::regnamespace, 'pg_namespace'));

  select array_agg(
    format('%s belongs to %I', pg_describe_object(object.classid, object.oid, 0), pg_get_userbyid(object.owner))
    order by object.rank, object.oid
  )
  into _aliens
  from (
    select 'pg_class'::regclass as classid, oid, relowner as owner, 1 as rank from pg_class where relnamespace = 'djr'::regnamespace
    union all
    select 'pg_proc'::regclass, oid, proowner, 2 from pg_proc where pronamespace = 'djr'::regnamespace
    union all
    select 'pg_type'::regclass, oid, typowner, 3 from pg_type where typnamespace = 'djr'::regnamespace and typrelid = 0 and typelem = 0
    union all
    select 'pg_operator'::regclass, oid, oprowner, 4 from pg_operator where oprnamespace = 'djr'::regnamespace
    union all
    select 'pg_opclass'::regclass, oid, opcowner, 5 from pg_opclass where opcnamespace = 'djr'::regnamespace
    union all
    select 'pg_opfamily'::regclass, oid, opfowner, 6 from pg_opfamily where opfnamespace = 'djr'::regnamespace
    union all
    select 'pg_collation'::regclass, oid, collowner, 7 from pg_collation where collnamespace = 'djr'::regnamespace
    union all
    select 'pg_conversion'::regclass, oid, conowner, 8 from pg_conversion where connamespace = 'djr'::regnamespace
    union all
    select 'pg_statistic_ext'::regclass, oid, stxowner, 9 from pg_statistic_ext where stxnamespace = 'djr'::regnamespace
    union all
    select 'pg_ts_config'::regclass, oid, cfgowner, 10 from pg_ts_config where cfgnamespace = 'djr'::regnamespace
    union all
    select 'pg_ts_dict'::regclass, oid, dictowner, 11 from pg_ts_dict where dictnamespace = 'djr'::regnamespace
    union all
    -- For a trigger the owner of its function counts: the function runs with the rights of the role that writes to the table.
    select 'pg_trigger'::regclass, pg_trigger.oid, pg_proc.proowner, 12
    from pg_trigger
    join pg_class on pg_class.oid = pg_trigger.tgrelid
    join pg_proc on pg_proc.oid = pg_trigger.tgfoid
    where pg_class.relnamespace = 'djr'::regnamespace
      and not pg_trigger.tgisinternal
      and pg_proc.pronamespace <> 'pg_catalog'::regnamespace
  ) object
  where object.owner <> all (_mine);

  -- An object that an extension put here belongs to the extension, whoever owns it.
  _aliens := _aliens || (
    select array_agg(format('%s belongs to the extension %I', pg_describe_object(member.classid, member.objid, 0), pg_extension.extname) order by member.objid)
    from pg_depend member
    join pg_extension on pg_extension.oid = member.refobjid
    where member.refclassid = 'pg_extension'::regclass
      and member.deptype = 'e'
      and (member.classid, member.objid) in (
        select 'pg_class'::regclass::oid, oid from pg_class where relnamespace = 'djr'::regnamespace
        union all
        select 'pg_proc'::regclass::oid, oid from pg_proc where pronamespace = 'djr'::regnamespace
        union all
        select 'pg_type'::regclass::oid, oid from pg_type where typnamespace = 'djr'::regnamespace
        union all
        select 'pg_operator'::regclass::oid, oid from pg_operator where oprnamespace = 'djr'::regnamespace
        union all
        select 'pg_namespace'::regclass::oid, 'djr'::regnamespace::oid
      )
  );

  if cardinality(_aliens) > 0 then
    raise exception using
      errcode = 'DJR14',
      message = format('everything in the schema djr must belong to %I, which installs djr, or to a role that it is a member of (%s)', current_user, _aliens[1]),
      detail = array_to_string(_aliens[1:10], '; ') || case when cardinality(_aliens) > 10 then format('; and %s more', cardinality(_aliens) - 10) else '' end || '.',
      hint = format('Drop it if it is not djr''s. If it is, and you trust what it does, as a superuser: alter … owner to %I.', current_user);
  end if;

  perform set_config('search_path', _path, true);
end
$$;
