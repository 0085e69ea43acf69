-- Whether scope, user and topic fit together, for the insert trigger, which looks at every event. Plain SQL without SET, so that
-- the planner inlines it. 0 in replay_of is djr's own, for what djr.disconnect and djr.recheck order.
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
  'Whether an event''s scope, user and topic fit together: what djr._validate raises DJR02 for. Internal.';
