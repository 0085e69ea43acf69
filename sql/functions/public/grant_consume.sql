-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.grant_consume(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_consume.role);
  if grant_consume.role = 'public' then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role (it is public, which is every role there is)',
      detail = 'Every role of this database could read all events of all users.',
      hint = 'Name the role that your backend logs in as.';
  end if;
  perform djr._grant('consume', grant_consume.role);
end
$$;

comment on function djr.grant_consume(name) is
  'Lets a role consume: consume, create_consumer, drop_consumer, reset_consumer, the view djr.consumer, and position. It reads every event with its private data in this way, and cannot publish. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_consume takes it back.';
