-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_seal(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('seal', revoke_seal.role);
end
$$;

comment on function djr.revoke_seal(name) is
  'Takes back what djr.grant_seal gave a role. What the role has by other grants it keeps. Seals that it made stay valid until they end.';
