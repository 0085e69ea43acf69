create or replace function djr.create_consumer(
  name text,
  "from" text default 'now',
  types text[] default null,
  topics text[] default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _frontier pg_snapshot;
  _id integer;
  _one text;
begin
  if create_consumer.name is null
    or length(create_consumer.name) not between 1 and 200
    or create_consumer.name ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
  then
    raise exception using
      errcode = 'DJR10',
      message = format(
        'the name of a consumer must have 1 to 200 characters, and no white space or control characters (it is %s)',
        coalesce(to_json(left(create_consumer.name, 200))::text, 'null')
      ),
      detail = format('It has %s characters.', coalesce(length(create_consumer.name), 0)),
      hint = 'Name it after what it does: billing.';
  elsif cardinality(create_consumer.types) = 0 or cardinality(create_consumer.topics) = 0 then
    raise exception using
      errcode = 'DJR10',
      message = format(
        '%s must have an element at least, or be null (it is empty)',
        case cardinality(create_consumer.types) when 0 then 'types' else 'topics' end
      ),
      detail = 'No event would come.',
      hint = 'Leave it out for all events.';
  end if;
  foreach _one in array coalesce(create_consumer.types, '{}') loop
    perform djr._validate('public', null, _one, '{}', null, 'types: ', null);
  end loop;
  foreach _one in array coalesce(create_consumer.topics, '{}') loop
    perform djr._validate_topic(_one, 'topics: ');
  end loop;
  _frontier := djr._consumer_from(create_consumer."from");

  insert into djr._consumer (name, types, topics)
  values (create_consumer.name, create_consumer.types, create_consumer.topics)
  on conflict (name) do nothing
  returning _consumer.id into _id;
  if _id is null then
    raise exception using
      errcode = 'DJR21',
      message = format('the name must be of no other consumer (there is one named %s)', to_json(create_consumer.name)),
      detail = 'It keeps its place and its filters.',
      hint = format(
        'Go on with it: select * from djr.consume(%L). Or: select djr.drop_consumer(%L).',
        create_consumer.name, create_consumer.name
      );
  end if;
  update djr._consumer
  set mark = _consumer.xmin
  where _consumer.id = _id;
  insert into djr._consumer_place (consumer, frontier) values (_id, _frontier);
end
$$;

comment on function djr.create_consumer(text, text, text[], text[]) is
  'Creates a consumer, which keeps a place for djr.consume. It begins with what commits from now on (now), with everything that is stored (start), or at a position that djr.position() returned. `from` is a reserved word: give it second, or write "from" => ''start''. With types or topics it gets only events of those; with both, only events that match both. DJR21: a consumer of this name exists.';
