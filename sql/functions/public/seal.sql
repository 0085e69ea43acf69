-- An overload for each type that ids of users have, for one topic and for several: the address of a stream has no room for a hundred
-- seals. They are STABLE, so that they have the snapshot of the calling query: djr._seal says why.
create or replace function djr.seal(
  topic text,
  user_id text default null,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id, seal.valid)
$$;

comment on function djr.seal(text, text, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a text, or, with null, for anybody who has it. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id smallint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, smallint, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a smallint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id integer,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, integer, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is an integer. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id bigint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, bigint, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a bigint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id numeric,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], djr._user_of(seal.user_id), seal.valid)
$$;

comment on function djr.seal(text, numeric, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a numeric. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id uuid,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, uuid, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a uuid. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id text default null,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id, seal.valid)
$$;

comment on function djr.seal(text[], text, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a text, or, with null, for anybody who has it. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id smallint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], smallint, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a smallint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id integer,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], integer, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is an integer. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id bigint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], bigint, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a bigint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id numeric,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, djr._user_of(seal.user_id), seal.valid)
$$;

comment on function djr.seal(text[], numeric, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a numeric. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id uuid,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], uuid, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a uuid. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';
