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
    null
  )
$$;

comment on function djr.publish_global(text, jsonb, jsonb, text) is
  'Another name of djr.publish_public, which it had first.';
