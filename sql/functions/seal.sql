-- An overload for each type that ids of users have. Plain SQL without SET, so that the planner puts djr._seal in their place.
create or replace function djr.seal(
  topic text,
  user_id text default null,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topic, seal.user_id, seal.valid)
$$;

comment on function djr.seal(text, text, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a text, or with null for whoever has it. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id bigint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topic, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, bigint, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a bigint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id uuid,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topic, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, uuid, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a uuid. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';
