create or replace function djr._find_consumer(name text) returns djr._consumer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _found djr._consumer;
begin
  select * into _found
  from djr._consumer
  where _consumer.name = _find_consumer.name;
  if not found then
    raise exception using
      errcode = 'DJR20',
      message = format('there must be a consumer %s (there is none)', coalesce(to_json(_find_consumer.name)::text, 'null')),
      detail = 'A consumer is created once, and keeps its place from then on.',
      hint = 'Create it: select djr.create_consumer(NAME). Those there are: select name from djr.consumer.';
  end if;
  return _found;
end
$$;

comment on function djr._find_consumer(text) is
  'The consumer of this name; DJR20 where there is none. Internal.';
