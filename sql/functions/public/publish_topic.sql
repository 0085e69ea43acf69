create or replace function djr.publish_topic(
  topic text,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'topic',
    null,
    publish_topic.type,
    publish_topic.detail,
    publish_topic.private_data,
    publish_topic.key,
    publish_topic.topic,
    true
  )
$$;

comment on function djr.publish_topic(text, text, jsonb, jsonb, text) is
  'Publishes an event to the clients that may hear a topic (djr.seal, or the setting authorize_topic), and returns its id. For the rest see djr.publish.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_topic(
  topic text,
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'topic',
    null,
    djr._type_of(publish_topic.type),
    publish_topic.detail::pg_catalog.jsonb,
    publish_topic.private_data::pg_catalog.jsonb,
    publish_topic.key,
    publish_topic.topic,
    publish_topic.store
  )
$$;

comment on function djr.publish_topic(text, anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish_topic for a detail of type json.';

-- With store: see djr.publish.
create or replace function djr.publish_topic(
  topic text,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'topic', null, publish_topic.type, publish_topic.detail, publish_topic.private_data, publish_topic.key, publish_topic.topic, publish_topic.store
  )
$$;

comment on function djr.publish_topic(text, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish_topic with store: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
