create or replace function djr._base_type(
  type oid
) returns oid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _base oid := _base_type.type;
begin
  while (select pg_type.typtype = 'd' from pg_type where pg_type.oid = _base) loop
    select pg_type.typbasetype into _base from pg_type where pg_type.oid = _base;
  end loop;
  return _base;
end
$$;

comment on function djr._base_type(oid) is
  'The type under a domain, also through several domains; a type that is no domain is returned as it is. Internal.';
