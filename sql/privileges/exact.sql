-- The last step of each migration. PUBLIC may execute new functions, default privileges may give more, and somebody may have granted
-- rights on everything in the schema. All of that is taken away, and the recorded grants are given again, in the same transaction that
-- made the objects, so that no role sees the state in between.
do $$
declare
  _path pg_catalog.text := pg_catalog.current_setting('search_path');
  _grantees pg_catalog.jsonb;
  _excess pg_catalog.record;
  _held pg_catalog.record;
  _grantee pg_catalog.record;
  _apps pg_catalog.jsonb;
  _app pg_catalog.record;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select jsonb_agg(jsonb_build_object('role', grantee.role, 'capability', grantee.capability))
  into _grantees
  from djr.grantee;
  -- Revoking a right on a table takes it from the columns as well, also from those that the app has added.
  select jsonb_agg(app) into _apps from djr._app_grants() app;

  for _excess in
    select listed.role, listed.rights
    from djr._excess_rights() listed
    where listed.usable
      and listed.rights[1] !~ '^everything '
  loop
    raise notice 'djr: % had rights that nobody granted it, and has them no more: %', _excess.role,
      array_to_string(_excess.rights[1:5], ', ')
        || case when cardinality(_excess.rights) > 5 then format(' and %s more', cardinality(_excess.rights) - 5) else '' end
      using hint = 'To grant a use of djr: djr.grant_publish, djr.grant_consume, djr.grant_seal or djr.grant_server, as in select djr.grant_publish(ROLE).';
  end loop;

  for _held in
    select distinct held.grantee, held.kind, held.object
    from djr._acl() held
  loop
    execute format(
      'revoke all on %s %s from %s cascade',
      _held.kind,
      _held.object,
      case _held.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(_held.grantee)) end
    );
  end loop;

  for _grantee in
    select * from jsonb_to_recordset(_grantees) recorded (role name, capability text)
  loop
    perform djr._grant(_grantee.capability, _grantee.role);
  end loop;
  for _app in
    select * from jsonb_to_recordset(_apps) app (grantee oid, column_name name, privilege text, is_grantable boolean)
  loop
    execute format(
      'grant %s (%I) on djr.event to %s%s',
      _app.privilege,
      _app.column_name,
      case _app.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(_app.grantee)) end,
      case when _app.is_grantable then ' with grant option' end
    );
  end loop;
  perform set_config('search_path', _path, true);
end
$$;
