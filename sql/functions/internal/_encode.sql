-- Plain SQL without SET, so that the planner inlines it into its callers: an event is encoded once, without a call.
-- The first migrations made it without a topic.
drop function if exists djr._encode(bigint, xid8, text, text, text, timestamptz, jsonb);

create or replace function djr._encode(
  id bigint,
  xid xid8,
  scope text,
  user_id text,
  type text,
  created_at timestamptz,
  detail jsonb,
  topic text
) returns text
language sql
stable
as $$
  select case
    when topic is null then pg_catalog.json_build_array(
      id,
      xid::pg_catalog.text,
      scope,
      user_id,
      type,
      pg_catalog.trunc(extract(epoch from created_at) operator(pg_catalog.*) 1000)
    )
    else pg_catalog.json_build_array(
      id,
      xid::pg_catalog.text,
      scope,
      user_id,
      type,
      pg_catalog.trunc(extract(epoch from created_at) operator(pg_catalog.*) 1000),
      topic
    )
  end::pg_catalog.text operator(pg_catalog.||) E'\t' operator(pg_catalog.||) detail::pg_catalog.text
$$;

comment on function djr._encode(bigint, xid8, text, text, text, timestamptz, jsonb, text) is
  'An event as a line of a NOTIFY message: a JSON array of id, xid, scope, user_id, type, milliseconds and, of a topic event, the topic; then a tab and the detail. JSON holds neither a raw tab nor a line feed. Internal.';
