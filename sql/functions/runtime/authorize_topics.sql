-- It sets no search_path, so that the app's function finds its tables as it does in other sessions of this role. Every name here is
-- qualified instead.
create or replace function djr.authorize_topics(
  user_ids text[],
  topics text[],
  out allowed boolean[],
  out failure text
)
language plpgsql
as $$
declare
  _answers boolean[];
  _allowed boolean;
  _function text := djr._authorize_topic_function();
begin
  if _function is null then
    allowed := array(select false from pg_catalog.unnest(authorize_topics.topics));
    return;
  end if;
  begin
    execute pg_catalog.format(
      'select pg_catalog.array_agg(coalesce(%s(asked.user_id, asked.topic), false) order by asked.place)
       from pg_catalog.unnest($1, $2) with ordinality asked (user_id, topic, place)',
      _function
    )
    into _answers
    using authorize_topics.user_ids, authorize_topics.topics;
    allowed := _answers;
    return;
  exception when others or assert_failure then
    -- Each question is asked by itself, so that one at which the app's function fails does not cost the others their answers.
    allowed := '{}';
  end;
  for _place in 1 .. pg_catalog.cardinality(authorize_topics.topics) loop
    begin
      execute pg_catalog.format('select coalesce(%s($1, $2), false)', _function)
      into strict _allowed
      using authorize_topics.user_ids[_place], authorize_topics.topics[_place];
      allowed[_place] := _allowed;
    exception when others or assert_failure then
      allowed[_place] := false;
      failure := sqlerrm;
    end;
  end loop;
end
$$;

comment on function djr.authorize_topics(text[], text[]) is
  'Asks the function in the setting authorize_topic whether each of these users (null: an anonymous one) may hear the topic at the same place in the second array. Null and an error of the function mean no; failure has the message of the last error. The runtime calls it, with its own rights.';
