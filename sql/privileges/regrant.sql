-- Who was granted a use of djr before an upgrade gets what the upgrade added to it. A role that holds some functions only,
-- granted one by one, is left alone.
do $$
declare
  _role name;
begin
  for _role in
    select holder.rolname
    from pg_catalog.pg_roles holder
    where (
      select pg_catalog.count(distinct own.oid)
      from pg_catalog.pg_proc own, pg_catalog.aclexplode(own.proacl) entry
      where entry.grantee = holder.oid
        and entry.grantee <> own.proowner
        and own.oid in (
          'djr._publish(text, text, text, jsonb, jsonb, text, text)'::pg_catalog.regprocedure,
          'djr.publish_many(jsonb)'::pg_catalog.regprocedure,
          'djr.publish_row()'::pg_catalog.regprocedure
        )
    ) = 3
  loop
    perform djr.grant_publish(_role);
  end loop;

  for _role in
    select holder.rolname
    from pg_catalog.pg_roles holder
    where (
      select pg_catalog.count(distinct own.oid)
      from pg_catalog.pg_proc own, pg_catalog.aclexplode(own.proacl) entry
      where entry.grantee = holder.oid
        and entry.grantee <> own.proowner
        and own.oid in (
          'djr.channel()'::pg_catalog.regprocedure,
          'djr.repair_xids()'::pg_catalog.regprocedure,
          'djr.prune_batch(interval, integer)'::pg_catalog.regprocedure
        )
    ) = 3
  loop
    perform djr.grant_server(_role);
  end loop;
end
$$;
