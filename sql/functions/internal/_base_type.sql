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
  'What a domain is over, through all domains between; any other type is its own base. Internal.';
