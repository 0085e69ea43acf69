create or replace function djr.drop_consumer(name text) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
begin
  delete from djr._consumer
  where _consumer.name = drop_consumer.name
  returning _consumer.id into _id;
  if _id is null then
    perform djr._find_consumer(drop_consumer.name);
  end if;
  delete from djr._consumer_place where _consumer_place.consumer = _id;
  delete from djr._consumer_done where _consumer_done.consumer = _id;
end
$$;

comment on function djr.drop_consumer(text) is
  'Removes a consumer and its place; pruning no longer keeps events for it. It waits for a transaction that is consuming. DJR20: there is no consumer of this name.';
