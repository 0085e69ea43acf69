create or replace function djr.publish_global(
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    publish_global.type,
    publish_global.detail,
    publish_global.private_data,
    publish_global.key,
    null,
    true
  )
$$;

comment on function djr.publish_global(text, jsonb, jsonb, text) is
  'The former name of djr.publish_public; it stays as an alias.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_global(
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    djr._type_of(publish_global.type),
    publish_global.detail::pg_catalog.jsonb,
    publish_global.private_data::pg_catalog.jsonb,
    publish_global.key,
    null,
    publish_global.store
  )
$$;

comment on function djr.publish_global(anycompatiblenonarray, json, json, text, boolean) is
  'Another name of djr.publish_public for a detail of type json.';

-- With store: see djr.publish.
create or replace function djr.publish_global(
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public', null, publish_global.type, publish_global.detail, publish_global.private_data, publish_global.key, null, publish_global.store
  )
$$;

comment on function djr.publish_global(varchar, jsonb, jsonb, text, boolean) is
  'djr.publish_global with store: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
