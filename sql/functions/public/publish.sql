-- An overload for each type that ids of users have. They are plain SQL without SET, so that the planner replaces each by its call of
-- djr._publish, which validates and is SECURITY DEFINER.
create or replace function djr.publish(
  user_id text,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(text, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a text, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id bigint,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(bigint, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a bigint, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id uuid,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(uuid, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a uuid, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

-- Without overloads for smallint and integer, an argument of these types would be ambiguous between bigint and numeric.
create or replace function djr.publish(
  user_id smallint,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(smallint, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a smallint, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id integer,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(integer, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is an integer, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id numeric,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', djr._user_of(publish.user_id), publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(numeric, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a numeric, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12). An id with a fraction is refused (DJR03); 42.0 is user 42.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish(
  user_id text,
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user',
    publish.user_id,
    djr._type_of(publish.type),
    publish.detail::pg_catalog.jsonb,
    publish.private_data::pg_catalog.jsonb,
    publish.key,
    null,
    publish.store
  )
$$;

comment on function djr.publish(text, anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish for a detail of type json: to a user whose id is a text.';

create or replace function djr.publish(
  user_id anynonarray,
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user',
    djr._user_of_any(publish.user_id),
    djr._type_of(publish.type),
    publish.detail::pg_catalog.jsonb,
    publish.private_data::pg_catalog.jsonb,
    publish.key,
    null,
    publish.store
  )
$$;

comment on function djr.publish(anynonarray, anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish for a detail of type json: to a user whose id is a whole number or a uuid (DJR03 for any other type).';

-- The same overloads with the parameter store; only a call that names store means these. `type` is a varchar here: if both overloads
-- took a text, a call without store would be ambiguous, but a literal or a text matches the other overload better. The older overloads
-- therefore need not be dropped, and an upgrade disturbs neither a session that publishes nor a view or function that does.
create or replace function djr.publish(
  user_id text,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(text, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a text. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id bigint,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(bigint, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a bigint. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id uuid,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(uuid, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a uuid. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id smallint,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(smallint, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a smallint. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id integer,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(integer, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is an integer. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id numeric,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', djr._user_of(publish.user_id), publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(numeric, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a numeric. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';
