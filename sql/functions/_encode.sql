-- Plain SQL without SET, so that the planner inlines it into its callers: an event is encoded once, without a call.
create or replace function djr._encode(
  id bigint,
  xid xid8,
  scope text,
  user_id text,
  type text,
  created_at timestamptz,
  detail jsonb
) returns text
language sql
stable
as $$
  select pg_catalog.concat(
    '[', id,
    ',', coalesce(pg_catalog.to_json(xid::pg_catalog.text)::pg_catalog.text, 'null'),
    ',"', scope,
    '",', coalesce(pg_catalog.to_json(user_id)::pg_catalog.text, 'null'),
    ',', pg_catalog.to_json(type),
    ',', pg_catalog.trunc(extract(epoch from created_at) operator(pg_catalog.*) 1000),
    E']\t', detail
  )
$$;
