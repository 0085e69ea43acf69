-- The insert trigger calls it for every event, so it is plain SQL without SET, which the planner inlines. A replay_of of 0 marks the
-- orders of djr.disconnect and djr.recheck, to which the rule does not apply.
create or replace function djr._fits(
  scope text,
  user_id text,
  topic text,
  replay_of bigint
) returns boolean
language sql
immutable
as $$
  select case
    when topic is not null then scope operator(pg_catalog.=) 'topic' and user_id is null
    when user_id is null then scope operator(pg_catalog.=) any (array['public', 'system'])
    else scope operator(pg_catalog.=) any (array['user', 'system'])
  end or coalesce(replay_of operator(pg_catalog.=) 0, false)
$$;

comment on function djr._fits(text, text, text, bigint) is
  'Whether an event''s scope, user and topic fit together; where they do not, djr._validate raises DJR02. Internal.';
