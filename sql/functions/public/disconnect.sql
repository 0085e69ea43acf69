-- An overload for each type that ids of users have.
create or replace function djr.disconnect(
  user_id text,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id, disconnect.reason)
$$;

comment on function djr.disconnect(text, text) is
  'Ends every open stream of a user, whose id is a text, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id smallint,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(smallint, text) is
  'Ends every open stream of a user, whose id is a smallint, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id integer,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(integer, text) is
  'Ends every open stream of a user, whose id is an integer, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id bigint,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(bigint, text) is
  'Ends every open stream of a user, whose id is a bigint, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id numeric,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', djr._user_of(disconnect.user_id), disconnect.reason)
$$;

comment on function djr.disconnect(numeric, text) is
  'Ends every open stream of a user, whose id is a numeric, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id uuid,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(uuid, text) is
  'Ends every open stream of a user, whose id is a uuid, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';
