-- Only the overload for text has a default, so that a call without a user is not ambiguous.
create or replace function djr.publish_system(
  type text,
  detail jsonb default '{}',
  user_id text default null,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, text, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type text) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id bigint,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, bigint, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type bigint) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id uuid,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, uuid, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type uuid) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id smallint,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, smallint, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type smallint) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id integer,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, integer, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type integer) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id numeric,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', djr._user_of(publish_system.user_id), publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, numeric, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type numeric) or nobody, and returns its id. For the rest see djr.publish.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_system(
  type anycompatiblenonarray,
  detail json,
  user_id text default null,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id, djr._type_of(publish_system.type), publish_system.detail::pg_catalog.jsonb, publish_system.private_data::pg_catalog.jsonb, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(anycompatiblenonarray, json, text, json, text, boolean) is
  'djr.publish_system for a detail of type json: about a user whose id is a text, or nobody.';

create or replace function djr.publish_system(
  type anycompatiblenonarray,
  detail json,
  user_id anynonarray,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', djr._user_of_any(publish_system.user_id), djr._type_of(publish_system.type), publish_system.detail::pg_catalog.jsonb, publish_system.private_data::pg_catalog.jsonb, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(anycompatiblenonarray, json, anynonarray, json, text, boolean) is
  'djr.publish_system for a detail of type json: about a user whose id is a whole number or a uuid (DJR03 for any other type).';

-- With store: see djr.publish.
create or replace function djr.publish_system(
  type varchar,
  detail jsonb default '{}',
  user_id text default null,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, text, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a text: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id bigint,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, bigint, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a bigint: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id uuid,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, uuid, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a uuid: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id smallint,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, smallint, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a smallint: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id integer,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, integer, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is an integer: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id numeric,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', djr._user_of(publish_system.user_id), publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, numeric, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a numeric: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
