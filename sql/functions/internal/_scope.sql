-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._scope(
  scope text,
  topic text
) returns text
language sql
immutable
as $$
  select coalesce(scope, case when topic is null then 'user' else 'topic' end)
$$;

comment on function djr._scope(text, text) is
  'The scope of an element of djr.publish_many. If it names none: topic when it has a topic, otherwise user. Internal.';
