-- The rules of djr._validate_topic as one condition, without an error. Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_topic(topic text) returns boolean
language sql
immutable
as $$
  select topic is null or (
    topic operator(pg_catalog.<>) ''
    and pg_catalog.length(topic) operator(pg_catalog.<=) 255
    and topic operator(pg_catalog.!~)
      E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
  )
$$;

comment on function djr._is_topic(text) is
  'Whether djr._validate_topic would accept the topic; null is accepted. Internal.';
