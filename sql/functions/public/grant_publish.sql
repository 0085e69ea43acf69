-- The first migration made it with one parameter.
drop function if exists djr.grant_publish(name);

-- Not SECURITY DEFINER: only the owner of the objects may grant rights on them. For any other role PostgreSQL itself refuses, with its
-- own message.
create or replace function djr.grant_publish(role name, everyone boolean default false) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_publish.role);
  if grant_publish.role = 'public' and grant_publish.everyone is not true then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role, unless everyone => true is said (it is public, which is every role there is)',
      detail = 'Every role of this database could publish any event to any user.',
      hint = 'Name the role that your app logs in as; or, if you mean it: select djr.grant_publish(''public'', everyone => true).';
  elsif grant_publish.role <> 'public' and grant_publish.everyone then
    raise exception using
      errcode = 'DJR13',
      message = format('the role must be public where everyone => true is said (it is %s)', to_json(grant_publish.role)),
      hint = 'Leave everyone out to grant one role.';
  end if;
  perform djr._grant('publish', grant_publish.role);
end
$$;

comment on function djr.grant_publish(name, boolean) is
  'Lets a role publish: publish*, an INSERT of the columns that are the publisher''s to set, and position. It cannot read an event back. The role public is refused (DJR13) unless everyone is true. It is recorded (djr.grantee) and holds over upgrades; djr.revoke_publish takes it back.';
