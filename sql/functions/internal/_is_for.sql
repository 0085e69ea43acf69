-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_for(
  types text[],
  topics text[],
  scope text,
  type text,
  topic text
) returns boolean
language sql
immutable
as $$
  select scope operator(pg_catalog.<>) 'control'
    and (types is null or type operator(pg_catalog.=) any (types))
    and (topics is null or coalesce(topic operator(pg_catalog.=) any (topics), false))
$$;

comment on function djr._is_for(text[], text[], text, text, text) is
  'Whether the filters of a consumer let an event of this scope, type and topic through. Internal.';
