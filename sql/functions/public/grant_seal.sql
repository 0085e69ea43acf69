-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives. Sealing is a grant of its own, because a role that may publish
-- must not therefore decide who listens.
create or replace function djr.grant_seal(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_seal.role);
  if grant_seal.role = 'public' then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role (it is public, which is every role there is)',
      detail = 'Every role of this database could let anybody hear any topic.',
      hint = 'Name the role that your app logs in as.';
  end if;
  perform djr._grant('seal', grant_seal.role);
end
$$;

comment on function djr.grant_seal(name) is
  'Lets a role decide who hears what: seal, disconnect, recheck, and position. It can neither publish nor read an event. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_seal takes it back.';
