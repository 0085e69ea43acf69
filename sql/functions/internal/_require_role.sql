create or replace function djr._require_role(role name) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _require_role.role is null then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be the name of a role (it is null)',
      hint = 'Pass the name as PostgreSQL has it: select rolname from pg_roles.';
  elsif _require_role.role <> 'public' and not exists (select from pg_roles where rolname = _require_role.role) then
    raise exception using
      errcode = '42704',
      message = format('role %s does not exist', to_json(_require_role.role)),
      detail = 'The name is taken as it is: no quotes around it, and capital letters count.',
      hint = 'The roles there are: select rolname from pg_roles.';
  end if;
end
$$;

comment on function djr._require_role(name) is
  'Raises DJR13 for null and 42704 for a role that does not exist. Internal.';
