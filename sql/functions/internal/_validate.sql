-- The rules of an event, each with an SQLSTATE and a message of its own. The domains of djr.event have the same rules for a plain INSERT,
-- and djr._is_valid has them as one quick condition: change all three together (test/sql/publish.test.ts compares them). `place` is put
-- before the message and says which of several events is meant.
-- The first migrations made it without a topic.
drop function if exists djr._validate(text, text, text, jsonb, text, text);

create or replace function djr._validate(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  key text,
  place text,
  topic text
) returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if type is null or pg_catalog.length(type) not between 1 and 200 then
    raise exception using
      errcode = 'DJR01',
      message = place || 'the type of an event must have 1 to 200 characters'
        || case when type is null then ' (it is null)' else pg_catalog.format(' (it has %s)', pg_catalog.length(type)) end,
      detail = case when type is null then 'It is null.' else pg_catalog.format('It has %s.', pg_catalog.length(type)) end,
      hint = 'Name what happened in a word or two: order_paid.';
  elsif type ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]' then
    raise exception using
      errcode = 'DJR01',
      message = place || pg_catalog.format('the type of an event must have no white space and no control characters (it is %s)', pg_catalog.to_json(type)),
      detail = pg_catalog.format('It is %s.', pg_catalog.to_json(type)),
      hint = 'Use an underscore or a colon between words: order_paid.';
  elsif type ~ '^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)$|^djr:' then
    raise exception using
      errcode = 'DJR01',
      message = place || pg_catalog.format('the type of an event must not be one that the stream and the client use themselves (it is "%s")', type),
      detail = 'They are connected, disconnected, reset, heartbeat, state, error, left, refused, presence, and what begins with djr:.',
      hint = 'Choose another word.';
  end if;

  if scope = 'user' then
    if user_id is null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope user must have a user_id (it is null)',
        detail = 'The user_id is null.',
        hint = 'Is the user''s id null here? For every client publish with djr.publish_public, for the backend with djr.publish_system.';
    end if;
  elsif scope = 'public' then
    if user_id is not null then
      raise exception using
        errcode = 'DJR02',
        message = place || pg_catalog.format('an event of scope public must have no user_id (it is %s)', pg_catalog.to_json(user_id)),
        detail = pg_catalog.format('The user_id is %s.', pg_catalog.to_json(user_id)),
        hint = 'Everyone would get it. For one user publish with djr.publish.';
    end if;
  elsif scope = 'topic' then
    if topic is null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope topic must have a topic (it is null)',
        detail = 'The topic is null.',
        hint = 'Publish it with djr.publish_topic, or name the topic: room:7.';
    elsif user_id is not null then
      raise exception using
        errcode = 'DJR02',
        message = place || pg_catalog.format('an event of scope topic must have no user_id (it is %s)', pg_catalog.to_json(user_id)),
        detail = pg_catalog.format('The user_id is %s.', pg_catalog.to_json(user_id)),
        hint = 'Everyone who may hear the topic would get it. For one user publish with djr.publish.';
    end if;
  elsif scope is distinct from 'system' then
    raise exception using
      errcode = 'DJR02',
      message = place || pg_catalog.format(
        'the scope of an event must be user, public, topic or system (it is %s)', coalesce(pg_catalog.to_json(scope)::text, 'null')
      ),
      detail = pg_catalog.format('It is %s.', coalesce(pg_catalog.to_json(scope)::text, 'null')),
      hint = 'user: the one whom user_id names. public: every client. topic: who may hear the topic. system: backend subscribers only.';
  end if;

  if topic is not null then
    if scope is distinct from 'topic' then
      raise exception using
        errcode = 'DJR02',
        message = place || pg_catalog.format('an event of scope %s must have no topic (it is %s)', scope, pg_catalog.to_json(topic)),
        detail = pg_catalog.format('The topic is %s.', pg_catalog.to_json(topic)),
        hint = 'An event with a topic is of scope topic: publish it with djr.publish_topic.';
    end if;
    perform djr._validate_topic(topic, place);
  end if;

  if pg_catalog.length(user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = place || pg_catalog.format('a user_id must have 1 to 255 characters (it has %s)', pg_catalog.length(user_id)),
      detail = pg_catalog.format('It has %s.', pg_catalog.length(user_id)),
      hint = 'Pass the id by which your login knows the user.';
  end if;

  if pg_catalog.jsonb_typeof(detail) is distinct from 'object' then
    raise exception using
      errcode = 'DJR04',
      message = place || 'the detail of an event must be a JSON object'
        || case when detail is null then ' (it is null)' else pg_catalog.format(' (it is of type %s)', pg_catalog.jsonb_typeof(detail)) end,
      detail = case when detail is null then 'It is null.' else pg_catalog.format('It is of type %s.', pg_catalog.jsonb_typeof(detail)) end,
      hint = 'Put it under a name, {"value": ...}; for no detail leave it out.';
  end if;

  if pg_catalog.length(key) not between 1 and 255 then
    raise exception using
      errcode = 'DJR11',
      message = place || pg_catalog.format('the key of an event must have 1 to 255 characters (it has %s)', pg_catalog.length(key)),
      detail = pg_catalog.format('It has %s.', pg_catalog.length(key)),
      hint = 'Use what identifies the occurrence: invoice-17-paid.';
  end if;
end
$$;

comment on function djr._validate(text, text, text, jsonb, text, text, text) is
  'Raises what is wrong with an event: DJR01 type, DJR02 scope, DJR03 user_id, DJR04 detail, DJR11 key, DJR18 topic. Internal.';
