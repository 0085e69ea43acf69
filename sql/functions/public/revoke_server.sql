-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_server(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('server', revoke_server.role);
end
$$;

comment on function djr.revoke_server(name) is
  'Takes back what djr.grant_server gave a role. What the role has by djr.grant_publish it keeps.';
