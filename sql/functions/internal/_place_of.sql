create or replace function djr._place_of(consumer djr._consumer) returns djr._consumer_place
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _place djr._consumer_place;
  _restored boolean;
begin
  select place.*
  into _place
  from djr._consumer_place place
  where place.consumer = (_place_of.consumer).id;
  if not found then
    -- The consumer was dropped meanwhile: this raises DJR20.
    perform djr._find_consumer((_place_of.consumer).name);
  end if;
  select _consumer.mark is distinct from _consumer.xmin
  into _restored
  from djr._consumer
  where _consumer.id = (_place_of.consumer).id;
  if _restored or _place.reason is not null then
    raise exception using
      errcode = 'DJR22',
      message = format(
        'consumer %s must be reset: %s',
        to_json((_place_of.consumer).name),
        case
          when _restored then 'it was restored from a dump, and its place is one of another database'
          else _place.reason
        end
      ),
      detail = case
        when _restored then 'Transaction ids of two databases do not compare.'
        else format(
          'It has lost %s since %s.',
          coalesce(_place.lost || case _place.lost when 1 then ' event' else ' events' end, 'events'),
          _place.overtaken_at
        )
      end,
      hint = format(
        case
          when _restored then
            'Begin anew: select djr.reset_consumer(%1$L, ''now''); or, with all that is stored: select djr.reset_consumer(%1$L, ''start'').'
          else 'Look at what it has missed, then: select djr.reset_consumer(%1$L).'
        end,
        (_place_of.consumer).name
      );
  end if;
  return _place;
end
$$;

comment on function djr._place_of(djr._consumer) is
  'Where a consumer stands; DJR22 where it was overtaken. Internal.';
