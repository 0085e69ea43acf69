-- One call for many users: the runtime collects the acknowledgements of all pages and stores them in one statement.
create or replace function djr._acknowledge(
  instance text,
  user_ids text[],
  event_ids bigint[],
  statuses text[]
) returns boolean[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _acknowledged boolean[];
begin
  with wanted as (
    select element.user_id, element.event_id, element.status, element.place
    from unnest(
      _acknowledge.user_ids,
      _acknowledge.event_ids,
      _acknowledge.statuses
    ) with ordinality element (user_id, event_id, status, place)
  ),
  own as materialized (
    select wanted.place, wanted.status, event.id, event.user_id
    from wanted
    join djr.event on event.id = wanted.event_id
    where event.scope = 'user'
      and event.user_id = wanted.user_id
    for key share of event skip locked
  ),
  stored as (
    insert into djr.activity (event_id, status, user_id, instance)
    select distinct own.id, own.status, own.user_id, _acknowledge.instance
    from own
    where (select settings.activity from djr.settings) <> 'off'
    -- All transactions insert in the same order: of two that insert the same rows one waits for the other, and never both.
    order by own.id, own.user_id, own.status
    on conflict do nothing
  )
  select array_agg(own.place is not null order by wanted.place)
  into _acknowledged
  from wanted
  left join own on own.place = wanted.place;
  return coalesce(_acknowledged, '{}');
end
$$;

comment on function djr._acknowledge(text, text[], bigint[], text[]) is
  'Does what djr.acknowledge does, for many users at once, and returns for each element whether it is an event of that user. Granted by djr.grant_server. Internal.';
