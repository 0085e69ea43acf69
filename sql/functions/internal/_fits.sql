-- The insert trigger calls it for every event, so it is plain SQL without SET, which the planner inlines. A replay_of of 0 marks the
-- orders of djr.disconnect and djr.recheck, to which the rule does not apply. Each operator costs every statement some three thousand
-- instructions before it is called, so there are two.
create or replace function djr._fits(
  scope text,
  user_id text,
  topic text,
  replay_of bigint
) returns boolean
language sql
immutable
as $$
  select scope operator(pg_catalog.=) any (
    case
      when topic is null and user_id is null then array['public', 'system']
      when topic is null then array['user', 'system']
      when user_id is null then array['topic']
      else array[]::pg_catalog.text[]
    end
  ) or coalesce(replay_of operator(pg_catalog.=) 0, false)
$$;

comment on function djr._fits(text, text, text, bigint) is
  'Whether an event''s scope, user and topic fit together; where they do not, djr._validate raises DJR02. Internal.';
