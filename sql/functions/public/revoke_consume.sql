-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_consume(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('consume', revoke_consume.role);
end
$$;

comment on function djr.revoke_consume(name) is
  'Takes back what djr.grant_consume gave a role. What the role has by other grants it keeps, and consumers keep their places.';
