create or replace function djr.publish_public(
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
    publish_public.type,
    publish_public.detail,
    publish_public.private_data,
    publish_public.key,
    null,
    true
  )
$$;

comment on function djr.publish_public(text, jsonb, jsonb, text) is
  'Publishes an event to every client, anonymous ones too, and returns its id. For the rest see djr.publish.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_public(
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
    djr._type_of(publish_public.type),
    publish_public.detail::pg_catalog.jsonb,
    publish_public.private_data::pg_catalog.jsonb,
    publish_public.key,
    null,
    publish_public.store
  )
$$;

comment on function djr.publish_public(anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish_public for a detail of type json.';

-- With store: see djr.publish.
create or replace function djr.publish_public(
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public', null, publish_public.type, publish_public.detail, publish_public.private_data, publish_public.key, null, publish_public.store
  )
$$;

comment on function djr.publish_public(varchar, jsonb, jsonb, text, boolean) is
  'djr.publish_public with store: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
