create or replace function djr.presence_of(topics text[]) returns table (topic text, user_ids text[])
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select asked.topic, array(
    select distinct online.user_id
    from djr.online
    where online.topic = asked.topic
    order by online.user_id
  )
  from unnest(presence_of.topics) asked (topic);
end
$$;

comment on function djr.presence_of(text[]) is
  'The users who hear each of these topics now, on any instance. The runtime calls it after it was told that one of them changed.';
