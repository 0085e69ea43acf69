-- Plain SQL without SET, so that the planner inlines it into its callers.
create or replace function djr._encode_unstored(
  id bigint,
  scope text,
  user_id text,
  type text,
  detail jsonb,
  topic text
) returns text
language sql
volatile
as $$
  select pg_catalog.json_build_array(
    id,
    null,
    scope,
    user_id,
    type,
    pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000),
    topic,
    'unstored'
  )::pg_catalog.text operator(pg_catalog.||) E'\t' operator(pg_catalog.||) detail::pg_catalog.text
$$;

comment on function djr._encode_unstored(bigint, text, text, text, jsonb, text) is
  'An event with store => false as a line of a NOTIFY message: as djr._encode makes it, but with null as transaction and "unstored" after the topic. Internal.';
