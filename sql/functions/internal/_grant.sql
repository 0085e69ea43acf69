create or replace function djr._grant(capability text, role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _right record;
begin
  for _right in
    select * from djr._rights() listed
    where listed.capability = _grant.capability
      -- The table of migrations does not exist if a tool other than djr migrate made the schema.
      and (listed.kind in ('schema', 'function') or to_regclass(listed.object) is not null)
  loop
    execute format(
      'grant %s%s on %s %s to %I',
      _right.privilege, ' (' || array_to_string(_right.columns, ', ') || ')', _right.kind, _right.object, _grant.role
    );
  end loop;
end
$$;

comment on function djr._grant(text, name) is
  'Gives a role the rights of one capability (publish, consume, seal or server) and records the grant. Internal.';
