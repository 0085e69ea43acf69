-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_publish(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('publish', revoke_publish.role);
end
$$;

comment on function djr.revoke_publish(name) is
  'Takes back what djr.grant_publish gave a role, or everyone (public). What the role has by djr.grant_server it keeps.';
