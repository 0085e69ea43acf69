-- The row of the settings serves as the lock: only functions that run with the rights of djr's owner can lock it, and skip locked
-- does not wait.
create or replace function djr._prune_turn(batch integer) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from djr.settings for no key update skip locked;
  if not found then
    return null;
  end if;
  return djr.prune_batch(null, _prune_turn.batch);
end
$$;

comment on function djr._prune_turn(integer) is
  'djr.prune_batch for the runtimes, one of them at a time: null while another prunes, or changes the settings; granted by djr.grant_server. Internal.';
