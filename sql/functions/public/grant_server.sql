-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.grant_server(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_server.role);
  if grant_server.role = 'public' then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role (it is public, which is every role there is)',
      detail = 'Every role of this database could read all events of all users.',
      hint = 'Name the role that the runtime logs in as.';
  end if;
  perform djr._grant('server', grant_server.role);
end
$$;

comment on function djr.grant_server(name) is
  'Gives a role what the runtime needs: reading events and settings, the channel, recording activity and acknowledgements, reporting itself in djr.instance, pruning and replaying. It cannot publish; where the runtime publishes too, use djr.grant_publish as well. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_server takes it back.';
