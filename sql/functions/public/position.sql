-- STABLE, so that it has the snapshot of the calling query. SECURITY DEFINER, so that callers need no right to what it calls.
create or replace function djr.position() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return djr._snapshot()::text;
end
$$;

comment on function djr.position() is
  'Where the stream stands in the calling statement''s snapshot. A page that reads its state and this in one statement (or one repeatable-read transaction) and connects with ?since= misses nothing and sees nothing twice. Events of the calling transaction itself come once it has committed, whether it publishes them before or after this.';
