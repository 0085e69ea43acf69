-- An overload for each type that ids of users have; only the one for text may be called without a user.
create or replace function djr.recheck(
  user_id text default null,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id, null, recheck.topic)
$$;

comment on function djr.recheck(text, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a text (null: of every user), may still hear this topic (null: any topic). Seals made by a query that did not see this transaction no longer count for them. Call it in the transaction that deletes the membership.';

create or replace function djr.recheck(
  user_id smallint,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(smallint, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a smallint (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id integer,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(integer, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is an integer (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id bigint,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(bigint, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a bigint (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id numeric,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', djr._user_of(recheck.user_id), null, recheck.topic)
$$;

comment on function djr.recheck(numeric, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a numeric (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id uuid,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(uuid, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a uuid (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';
