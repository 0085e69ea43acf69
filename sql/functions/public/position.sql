create or replace function djr.position() returns text
language sql
stable
as $$
  select pg_catalog.pg_current_snapshot()::pg_catalog.text
$$;

comment on function djr.position() is
  'Where the stream stands in the calling statement''s snapshot. A page that reads its state and this in one statement (or one repeatable-read transaction) and connects with ?since= misses nothing and sees nothing twice.';
