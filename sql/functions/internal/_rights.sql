-- The one list of the rights that grant_publish, grant_consume, grant_seal and grant_server give. A migration takes every other right
-- away, and djr doctor reports it.
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
    ('publish', 'INSERT', 'table', 'djr.event', array['scope', 'user_id', 'topic', 'type', 'detail', 'private_data', 'key']),
    ('consume', 'USAGE', 'schema', 'djr', null),
    ('consume', 'SELECT', 'table', 'djr._grant', array['consume']),
    ('consume', 'SELECT', 'table', 'djr.consumer', null),
    ('consume', 'SELECT', 'table', 'djr._consumer', null),
    ('seal', 'USAGE', 'schema', 'djr', null),
    ('seal', 'SELECT', 'table', 'djr._grant', array['seal']),
    ('server', 'USAGE', 'schema', 'djr', null),
    ('server', 'SELECT', 'table', 'djr._grant', array['server']),
    ('server', 'SELECT', 'table', 'djr.event', null),
    ('server', 'SELECT', 'table', 'djr.activity', null),
    ('server', 'INSERT', 'table', 'djr.activity', null),
    ('server', 'SELECT', 'table', 'djr.settings', null),
    ('server', 'SELECT', 'table', 'djr.instance', null),
    ('server', 'SELECT', 'table', 'djr.event_status', null),
    ('server', 'SELECT', 'table', 'djr.grantee', null),
    ('server', 'SELECT', 'table', 'djr.consumer', null),
    ('server', 'SELECT', 'table', 'djr._consumer', null),
    ('server', 'SELECT', 'table', 'djr.seal_key', null),
    ('server', 'SELECT', 'table', 'djr.revocation', null),
    ('server', 'SELECT', 'table', 'djr.presence', null),
    ('server', 'SELECT', 'table', 'djr.online', null),
    ('server', 'SELECT', 'table', 'djr.relay_mark', null),
    ('server', 'SELECT', 'table', 'djr.migrations', null),
    ('server', 'SELECT', 'sequence', 'djr.delivery_mode', null),
    ('server', 'SELECT', 'sequence', 'djr.unstored_dropped', null),
    ('server', 'SELECT', 'sequence', 'djr.seal_longest', null)
  union all
  select 'publish', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr._publish(text, text, text, jsonb, jsonb, text, text, boolean)',
    'djr._publish(text, text, text, jsonb, jsonb, text)',
    'djr.publish(text, text, jsonb, jsonb, text)',
    'djr.publish(text, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(smallint, text, jsonb, jsonb, text)',
    'djr.publish(smallint, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(integer, text, jsonb, jsonb, text)',
    'djr.publish(integer, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(bigint, text, jsonb, jsonb, text)',
    'djr.publish(bigint, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(numeric, text, jsonb, jsonb, text)',
    'djr.publish(numeric, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(uuid, text, jsonb, jsonb, text)',
    'djr.publish(uuid, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_public(text, jsonb, jsonb, text)',
    'djr.publish_public(varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_global(text, jsonb, jsonb, text)',
    'djr.publish_global(varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_topic(text, text, jsonb, jsonb, text)',
    'djr.publish_topic(text, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, text, jsonb, text)',
    'djr.publish_system(varchar, jsonb, text, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, smallint, jsonb, text)',
    'djr.publish_system(varchar, jsonb, smallint, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, integer, jsonb, text)',
    'djr.publish_system(varchar, jsonb, integer, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, bigint, jsonb, text)',
    'djr.publish_system(varchar, jsonb, bigint, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, numeric, jsonb, text)',
    'djr.publish_system(varchar, jsonb, numeric, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, uuid, jsonb, text)',
    'djr.publish(text, anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish(anynonarray, anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_public(anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_global(anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_topic(text, anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_system(anycompatiblenonarray, json, text, json, text, boolean)',
    'djr.publish_system(anycompatiblenonarray, json, anynonarray, json, text, boolean)',
    'djr._base_type(oid)',
    'djr._type_of(anycompatiblenonarray)',
    'djr._user_of_any(anynonarray)',
    'djr.publish_system(varchar, jsonb, uuid, jsonb, text, boolean)',
    'djr._user_of(numeric)',
    'djr.publish_many(jsonb)',
    'djr.publish_row()',
    'djr.position()'
  ]) granted
  union all
  select 'consume', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr.consume(text, integer, text)',
    'djr.create_consumer(text, text, text[], text[])',
    'djr.drop_consumer(text)',
    'djr.reset_consumer(text, text)',
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
    'djr.pace_unstored(boolean)',
    'djr.repair_xids()',
    'djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text)',
    'djr.forget_instance(text)',
    'djr.record_relay_mark(text, text, bigint, text, pg_snapshot, timestamptz)',
    'djr.record_activity(text, bigint[], text[], text[], integer[])',
    'djr._acknowledge(text, text[], bigint[], text[])',
    'djr.acknowledge(text, bigint[], text)',
    'djr.prune(interval)',
    'djr.prune_batch(interval, integer)',
    'djr._prune_turn(integer)',
    'djr.authorize_topics(text[], text[])',
    'djr._authorize_topic_function()',
    'djr.report_presence(text, text[], text[], integer[], boolean)',
    'djr.presence_of(text[])',
    'djr.disconnect(text, text)',
    'djr.recheck(text, text)',
    'djr._order(text, text, text, text)',
    'djr.replay(bigint)',
    'djr.replay(bigint[])',
    'djr._excess_rights()'
  ]) granted
  union all
  select 'seal', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr._seal(text[], text, interval)',
    'djr.seal(text, text, interval)',
    'djr.seal(text, smallint, interval)',
    'djr.seal(text, integer, interval)',
    'djr.seal(text, bigint, interval)',
    'djr.seal(text, numeric, interval)',
    'djr.seal(text, uuid, interval)',
    'djr.seal(text[], text, interval)',
    'djr.seal(text[], smallint, interval)',
    'djr.seal(text[], integer, interval)',
    'djr.seal(text[], bigint, interval)',
    'djr.seal(text[], numeric, interval)',
    'djr.seal(text[], uuid, interval)',
    'djr.disconnect(text, text)',
    'djr.disconnect(smallint, text)',
    'djr.disconnect(integer, text)',
    'djr.disconnect(bigint, text)',
    'djr.disconnect(numeric, text)',
    'djr.disconnect(uuid, text)',
    'djr.recheck(text, text)',
    'djr.recheck(smallint, text)',
    'djr.recheck(integer, text)',
    'djr.recheck(bigint, text)',
    'djr.recheck(numeric, text)',
    'djr.recheck(uuid, text)',
    'djr._order(text, text, text, text)',
    'djr._user_of(numeric)',
    'djr.position()'
  ]) granted
$$;

comment on function djr._rights() is
  'What djr.grant_publish, djr.grant_consume, djr.grant_seal and djr.grant_server give, a right a row. Internal.';
