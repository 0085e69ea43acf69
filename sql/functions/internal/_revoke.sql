create or replace function djr._revoke(capability text, role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _right record;
  _kept text[];
begin
  perform djr._require_role(_revoke.role);
  select array_agg(grantee.capability)
  into _kept
  from djr.grantee
  where grantee.role = _revoke.role
    and grantee.capability <> _revoke.capability;

  for _right in
    select * from djr._rights() listed
    where listed.capability = _revoke.capability
      and (listed.kind in ('schema', 'function') or to_regclass(listed.object) is not null)
  loop
    execute format(
      'revoke %s%s on %s %s from %I cascade',
      _right.privilege, ' (' || array_to_string(_right.columns, ', ') || ')', _right.kind, _right.object, _revoke.role
    );
  end loop;
  -- A right that another capability of the role gives as well is granted again.
  perform djr._grant(kept, _revoke.role) from unnest(_kept) kept;
end
$$;

comment on function djr._revoke(text, name) is
  'Takes the rights of one capability from a role, and its record. Internal.';
