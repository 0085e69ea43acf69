-- Callers that share a consumer finish events out of order. The place moves up to the first event that is not finished: it is either
-- due, or another caller has taken it and has not committed yet.
create or replace function djr._fold_done(consumer djr._consumer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _place djr._consumer_place;
  _behind djr._consumer_place;
begin
  perform
  from djr._consumer_place place
  where place.consumer = (_fold_done.consumer).id
  for no key update skip locked;
  if not found then
    return;
  end if;
  select place.*
  into _place
  from djr._consumer_place place
  where place.consumer = (_fold_done.consumer).id;
  select (due.behind).* into _behind
  from djr._take_due(_fold_done.consumer, _place, 1, 'look') due;
  -- PostgreSQL cannot compare snapshots with =, so their texts are compared.
  if _behind::text <> _place::text then
    perform djr._move_consumer(_behind);
  end if;
end
$$;

comment on function djr._fold_done(djr._consumer) is
  'Moves the place of a shared consumer up to the first event that is not done; does nothing while another caller moves it. Internal.';
