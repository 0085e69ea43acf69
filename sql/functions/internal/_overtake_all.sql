create or replace function djr._overtake_all(reason text) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
begin
  for _id in
    select _consumer.id from djr._consumer order by _consumer.id
  loop
    perform from djr._consumer where _consumer.id = _id for no key update;
    update djr._consumer_place
    set
      overtaken_at = coalesce(_consumer_place.overtaken_at, clock_timestamp()),
      reason = coalesce(_consumer_place.reason, _overtake_all.reason)
    where _consumer_place.consumer = _id;
  end loop;
end
$$;

comment on function djr._overtake_all(text) is
  'Marks every consumer as overtaken, for this reason: it may have lost events. Internal.';
