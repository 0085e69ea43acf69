-- Runs once, on a schema that has no record of grants yet (000001 and 000002), and records only the grants that are certain.
-- grant_publish was certainly called for a role that has INSERT on exactly the columns that it names, because no default privilege and
-- no `grant … on all tables` reaches a column. But 000002 called it for every role that could execute three functions, and default
-- privileges or `grant execute on all functions` give those. So from 000002 on, a role counts only if it has no right to a function
-- that no grant gives. grant_server granted whole objects; the same condition proves it.
do $$
declare
  _path pg_catalog.text := pg_catalog.current_setting('search_path');
  _role pg_catalog.record;
  _column pg_catalog.text;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  if to_regclass('djr.event') is not null and to_regprocedure('djr._grant(text, name)') is null then
    for _role in
      with entry as (
        select proname::text as object, grantee, privilege_type as privilege
        from pg_proc, aclexplode(proacl)
        where pronamespace = 'djr'::regnamespace and grantee <> proowner
        union all
        select relname::text, grantee, privilege_type
        from pg_class, aclexplode(relacl)
        where relnamespace = 'djr'::regnamespace and grantee <> relowner
        union all
        select relname || '.' || attname, grantee, privilege_type
        from pg_class
        join pg_attribute on attrelid = pg_class.oid, aclexplode(attacl)
        where relnamespace = 'djr'::regnamespace and grantee <> relowner
      ),
      held as (
        select
          entry.grantee,
          array_agg(entry.object || ' ' || entry.privilege) as rights,
          bool_or(entry.object in ('_announce', '_encode', '_validate', 'configure', 'grant_publish', 'grant_server')) as wholesale
        from entry
        group by entry.grantee
      )
      select
        coalesce(pg_roles.rolname, 'public') as name,
        held.grantee <> 0
          and (to_regclass('djr.instance') is null or not held.wholesale)
          and held.rights @> array[
            'event.scope INSERT', 'event.user_id INSERT', 'event.type INSERT', 'event.detail INSERT',
            'event.private_data INSERT', 'event.key INSERT'
          ] as publishes,
        held.grantee <> 0
          and not held.wholesale
          and held.rights @> array[
            'event SELECT', 'activity SELECT', 'activity INSERT', 'settings SELECT', 'delivery_mode SELECT',
            'channel EXECUTE', 'repair_xids EXECUTE', 'prune_batch EXECUTE'
          ] as serves,
        held.rights && array['_publish EXECUTE', 'event.scope INSERT'] as may_publish,
        held.rights && array['channel EXECUTE', 'event SELECT'] as may_serve
      from held
      left join pg_roles on pg_roles.oid = held.grantee
      where held.grantee = 0 or pg_roles.rolname is not null
    loop
      foreach _column in array array['publish', 'server'] loop
        if _column = 'publish' and _role.publishes or _column = 'server' and _role.serves then
          execute format('grant select (%I) on djr._grant to %I', _column, _role.name);
        elsif _column = 'publish' and _role.may_publish or _column = 'server' and _role.may_serve then
          raise warning 'djr: % loses its rights to %: nothing proves that djr.grant_% gave them', _role.name,
            case _column when 'publish' then 'publish' else 'read events' end, _column
            using hint = format('If it is to have them: select djr.grant_%s(%L);', _column, _role.name);
        end if;
      end loop;
    end loop;
  end if;
  perform set_config('search_path', _path, true);
end
$$;
