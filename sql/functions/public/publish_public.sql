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
    publish_public.key
  )
$$;

comment on function djr.publish_public(text, jsonb, jsonb, text) is
  'Publishes an event to every client, anonymous ones too, and returns its id. For the rest see djr.publish.';
