create or replace function djr.publish_many(events jsonb) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
-- The column in `on conflict (key)` cannot be qualified, so a bare name means the column; the parameter is written qualified.
#variable_conflict use_column
declare
  _storage boolean;
  _members constant text[] := array['scope', 'user_id', 'topic', 'type', 'detail', 'private_data', 'key', 'store'];
  _keyed boolean := false;
  _unstored boolean := false;
  -- The first event's type, if it is valid. Most arrays have one type only, so the type of elements with the same type is not checked
  -- again. For these the check of user_id and detail gets the fixed valid type 'sound', so the planner evaluates the rule for types only
  -- once.
  _type jsonb := case
    when jsonb_typeof(publish_many.events #> '{0,type}') = 'string'
      and djr._is_valid(null, publish_many.events #>> '{0,type}', '{}') then publish_many.events #> '{0,type}'
  end;
  _element jsonb;
  _index bigint;
  _unknown text;
  _ids bigint[];
  _found bigint[];
  _again boolean := false;
  _guarded boolean;
begin
  if jsonb_typeof(publish_many.events) is distinct from 'array' then
    raise exception using
      errcode = 'DJR09',
      message = format(
        'publish_many takes a JSON array of events (what it got is %s)',
        coalesce('of type ' || jsonb_typeof(publish_many.events), 'null')
      ),
      detail = format('It is %s.', coalesce('of type ' || jsonb_typeof(publish_many.events), 'null')),
      hint = 'Build it with jsonb_agg(jsonb_build_object(''user_id'', ..., ''type'', ..., ''detail'', ...)).';
  end if;

  -- One query validates all elements and finds the first that is wrong; only for that one the code below finds out what is wrong.
  select element.value, element.place - 1
  into _element, _index
  from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
  where case
    when jsonb_typeof(element.value) <> 'object' then true
    else
      element.value - _members <> '{}'
      or jsonb_typeof(element.value -> 'user_id') not in ('string', 'number', 'null')
      or jsonb_typeof(element.value -> 'user_id') = 'number' and strpos(element.value ->> 'user_id', '.') > 0
      or jsonb_typeof(element.value -> 'scope') <> 'string'
      or jsonb_typeof(element.value -> 'key') not in ('string', 'number', 'null')
      or length(element.value ->> 'key') not between 1 and 255
      or case
        when element.value -> 'type' = _type
          then djr._is_valid(element.value ->> 'user_id', 'sound', coalesce(element.value -> 'detail', '{}'))
        else jsonb_typeof(element.value -> 'type') = 'string' and djr._is_valid(
          element.value ->> 'user_id',
          element.value ->> 'type',
          coalesce(element.value -> 'detail', '{}')
        )
      end is not true
      or not djr._fits(
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'topic',
        null
      )
      or jsonb_typeof(element.value -> 'topic') not in ('string', 'null')
      or jsonb_typeof(element.value -> 'store') not in ('boolean', 'null')
      or element.value -> 'store' = 'false' and element.value ->> 'key' is not null
      or not djr._is_topic(element.value ->> 'topic')
  end
  order by element.place
  limit 1;
  if found then
    if jsonb_typeof(_element) <> 'object' then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: an event must be a JSON object (it is of type %s)', _index, jsonb_typeof(_element)),
        detail = format('It is of type %s.', jsonb_typeof(_element)),
        hint = 'Its members are scope, user_id, topic, type, detail, private_data, key and store.';
    end if;
    -- Unknown members are refused, because a misspelt user_id must not go unnoticed.
    if _element - _members <> '{}' then
      select jsonb_object_keys(_element - _members) into _unknown limit 1;
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: an event must have known members only (it has %s)', _index, to_json(_unknown)),
        detail = 'Its members are scope, user_id, topic, type, detail, private_data, key and store.',
        hint = 'What the client shall get belongs into detail.';
    end if;
    if jsonb_typeof(_element -> 'user_id') not in ('string', 'number', 'null')
      or jsonb_typeof(_element -> 'type') <> 'string'
      or jsonb_typeof(_element -> 'scope') <> 'string'
      or jsonb_typeof(_element -> 'key') not in ('string', 'number', 'null')
      or jsonb_typeof(_element -> 'topic') not in ('string', 'null')
    then
      raise exception using
        errcode = 'DJR09',
        message = format(
          'events[%s]: scope, type, user_id, topic and key must be strings (%s)',
          _index,
          (
            select string_agg(format('%s is of type %s', member.key, jsonb_typeof(member.value)), ', ' order by member.key)
            from jsonb_each(_element) member
            where member.key in ('scope', 'type', 'user_id', 'topic', 'key') and jsonb_typeof(member.value) <> 'string'
          )
        ),
        detail = format('The event is %s.', left(_element::text, 200)),
        hint = 'A user_id and a key may be numbers.';
    end if;
    if jsonb_typeof(_element -> 'store') not in ('boolean', 'null') then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: store must be true or false (it is %s)', _index, _element -> 'store'),
        detail = format('It is of type %s.', jsonb_typeof(_element -> 'store')),
        hint = 'false: by NOTIFY alone, without a row.';
    end if;
    if jsonb_typeof(_element -> 'user_id') = 'number' and strpos(_element ->> 'user_id', '.') > 0 then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: a number as user_id must be a whole number (it is %s)', _index, _element ->> 'user_id'),
        detail = 'JSON tells 42 from 42.0, and a user''s id is a text.',
        hint = 'Pass the id by which your login knows the user, as a string.';
    end if;
    perform djr._validate(
      djr._scope(_element ->> 'scope', _element ->> 'topic'),
      _element ->> 'user_id',
      _element ->> 'type',
      coalesce(_element -> 'detail', '{}'),
      _element ->> 'key',
      format('events[%s]: ', _index),
      _element ->> 'topic'
    );
    perform djr._refuse_key_unstored(format('events[%s]: ', _index));
  end if;

  -- One test for both features, so that an array without keys and without store => false costs one test only.
  if jsonb_path_exists(publish_many.events, '$[*] ? (@.key != null || @.store == false)') then
    _keyed := jsonb_path_exists(publish_many.events, '$[*].key ? (@ != null)');
    _unstored := jsonb_path_exists(publish_many.events, '$[*].store ? (@ == false)');
  end if;
  select settings.storage into _storage from djr.settings;
  if not _storage then
    if _keyed then
      raise exception using
        errcode = 'DJR06',
        message = 'a key needs storage, and storage is off',
        detail = 'Without the stored event nothing tells that the key was used before.',
        hint = 'Publish without keys, or switch storage on: select djr.configure(storage => true).';
    end if;
    return query
    select case
      when element.value -> 'store' = 'false' then djr._publish_unstored(
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'type',
        coalesce(element.value -> 'detail', '{}'),
        element.value ->> 'topic'
      )
      else djr._notify_only(
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'type',
        coalesce(element.value -> 'detail', '{}'),
        element.value ->> 'topic'
      )
    end
    from jsonb_array_elements(publish_many.events) element;
    return;
  end if;

  -- The events are inserted in the order of the array, so their ids have that order.
  _guarded := djr._may_be_kept_out();
  if not _keyed and not _unstored and not _guarded then
    return query
    insert into djr.event (scope, user_id, type, detail, private_data, topic)
    select
      djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      nullif(element.value -> 'private_data', 'null'),
      element.value ->> 'topic'
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    order by element.place
    returning event.id;
    return;
  end if;

  -- Every element gets an id before the insert, so that its id is known whether or not its key was used before.
  select array_agg(nextval('djr.event_id_seq')) into _ids from generate_series(1, jsonb_array_length(publish_many.events));

  -- A transaction that inserts a key makes others that insert the same key wait. All insert in the order of the keys, so no two
  -- transactions wait for each other.
  loop
    insert into djr.event (id, scope, user_id, type, detail, private_data, key, topic)
    overriding system value
    select
      _ids[element.place],
      djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      nullif(element.value -> 'private_data', 'null'),
      element.value ->> 'key',
      element.value ->> 'topic'
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    where element.value -> 'store' is distinct from 'false'
      and (
        not _again
        or (
          element.value ->> 'key' is not null
          and not exists (select from djr.event where event.key = element.value ->> 'key')
        )
      )
    order by element.value ->> 'key' collate "C" nulls first, element.place
    on conflict (key) where event.key is not null do nothing;

    select
      array_agg(coalesce(event.id, _ids[element.place]) order by element.place),
      bool_or(event.id is null and element.value ->> 'key' is not null),
      min(element.place) filter (
        where event.scope <> djr._scope(element.value ->> 'scope', element.value ->> 'topic')
          or event.type <> element.value ->> 'type'
          or event.user_id is distinct from element.value ->> 'user_id' and event.id is not null
          or event.topic is distinct from element.value ->> 'topic' and event.id is not null
      ) - 1
    into _found, _again, _index
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    left join djr.event on event.key = element.value ->> 'key';
    -- If an element with a key has no event now, the event that had the key was pruned between the two statements. The key is free
    -- again, so the insert is repeated. Or a trigger of the app keeps the row out, and would do so again.
    exit when not _again or _guarded;
  end loop;

  if _index is not null then
    perform djr._refuse_key(publish_many.events -> _index::integer ->> 'key', format('events[%s]: ', _index));
  end if;
  if _guarded then
    -- The id of an event without a row is null.
    select array_agg(
      case
        when element.value -> 'store' = 'false' or exists (select from djr.event where event.id = _found[element.place])
          then _found[element.place]
      end
      order by element.place
    )
    into _found
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place);
  end if;
  if _unstored then
    _found := djr._publish_many_unstored(publish_many.events, _found);
  end if;
  return query
  select unnest(_found);
end
$$;

comment on function djr.publish_many(jsonb) is
  'Publishes an array of {scope, user_id, topic, type, detail, private_data, key, store} in one statement with few NOTIFYs and returns their ids in order. An element without a scope has scope topic if it has a topic, otherwise user, so that a forgotten user_id is an error and not an event for everyone. A key of another event is refused (DJR12), also if that event is in the same call. If one event is refused, none is published; the error names it, as in events[3].';
