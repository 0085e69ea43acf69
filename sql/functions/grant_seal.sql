-- Not SECURITY DEFINER, as djr.grant_publish. A grant of its own: who publishes may not therefore listen.
create or replace function djr.grant_seal(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('grant usage on schema djr to %I', grant_seal.role);
  execute format(
    'grant execute on function
       djr._seal(text, text, interval),
       djr.seal(text, text, interval),
       djr.seal(text, bigint, interval),
       djr.seal(text, uuid, interval),
       djr.disconnect(text, text),
       djr.disconnect(bigint, text),
       djr.disconnect(uuid, text),
       djr.recheck(text, text),
       djr.position()
     to %I',
    grant_seal.role
  );
end
$$;

comment on function djr.grant_seal(name) is
  'Lets a role decide who hears what: seal, disconnect, recheck, and position.';
