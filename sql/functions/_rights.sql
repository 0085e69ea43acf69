-- The one list of what grant_publish and grant_server give. What is not here a migration takes away, and doctor reports.
create or replace function djr._rights() returns table (
  capability text,
  privilege text,
  kind text,
  object text,
  columns text[]
)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('publish', 'USAGE', 'schema', 'djr', null::text[]),
    ('publish', 'SELECT', 'table', 'djr._grant', array['publish']),
    ('publish', 'INSERT', 'table', 'djr.event', array['scope', 'user_id', 'type', 'detail', 'private_data', 'key']),
    ('server', 'USAGE', 'schema', 'djr', null),
    ('server', 'SELECT', 'table', 'djr._grant', array['server']),
    ('server', 'SELECT', 'table', 'djr.event', null),
    ('server', 'SELECT', 'table', 'djr.activity', null),
    ('server', 'INSERT', 'table', 'djr.activity', null),
    ('server', 'SELECT', 'table', 'djr.settings', null),
    ('server', 'SELECT', 'table', 'djr.instance', null),
    ('server', 'SELECT', 'table', 'djr.event_status', null),
    ('server', 'SELECT', 'table', 'djr.grantee', null),
    ('server', 'SELECT', 'table', 'djr.migrations', null),
    ('server', 'SELECT', 'sequence', 'djr.delivery_mode', null)
  union all
  select 'publish', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr._publish(text, text, text, jsonb, jsonb, text)',
    'djr.publish(text, text, jsonb, jsonb, text)',
    'djr.publish(smallint, text, jsonb, jsonb, text)',
    'djr.publish(integer, text, jsonb, jsonb, text)',
    'djr.publish(bigint, text, jsonb, jsonb, text)',
    'djr.publish(numeric, text, jsonb, jsonb, text)',
    'djr.publish(uuid, text, jsonb, jsonb, text)',
    'djr.publish_public(text, jsonb, jsonb, text)',
    'djr.publish_global(text, jsonb, jsonb, text)',
    'djr.publish_system(text, jsonb, text, jsonb, text)',
    'djr.publish_system(text, jsonb, smallint, jsonb, text)',
    'djr.publish_system(text, jsonb, integer, jsonb, text)',
    'djr.publish_system(text, jsonb, bigint, jsonb, text)',
    'djr.publish_system(text, jsonb, numeric, jsonb, text)',
    'djr.publish_system(text, jsonb, uuid, jsonb, text)',
    'djr._user_of(numeric)',
    'djr.publish_many(jsonb)',
    'djr.publish_row()',
    'djr.position()'
  ]) granted
  union all
  select 'server', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr.channel()',
    'djr.position()',
    'djr.epoch()',
    'djr.renew_epoch(text)',
    'djr.set_delivery_mode(text)',
    'djr.repair_xids()',
    'djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text)',
    'djr.forget_instance(text)',
    'djr.record_activity(text, bigint[], text[], text[], integer[])',
    'djr._acknowledge(text, text[], bigint[], text[])',
    'djr.acknowledge(text, bigint[], text)',
    'djr.prune(interval)',
    'djr.prune_batch(interval, integer)',
    'djr._prune_turn(integer)',
    'djr.replay(bigint)',
    'djr.replay(bigint[])',
    'djr._excess_rights()'
  ]) granted
$$;

comment on function djr._rights() is
  'What djr.grant_publish and djr.grant_server give, a right a row. Internal.';
