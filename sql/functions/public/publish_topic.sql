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
    publish_topic.topic
  )
$$;

comment on function djr.publish_topic(text, text, jsonb, jsonb, text) is
  'Publishes an event to the clients that may hear a topic (djr.seal, or the setting authorize_topic), and returns its id. For the rest see djr.publish.';
