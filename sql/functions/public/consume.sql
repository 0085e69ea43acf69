-- It first looks whether anything is due, without a row lock and without writing, so that polling an idle consumer costs no more than
-- reading. That look also locks the table djr.event before the consumer's row is locked, in the same order as TRUNCATE, so the two
-- cannot deadlock.
create or replace function djr.consume(
  name text,
  max_events integer default 100,
  mode text default 'wait'
) returns table (
  id bigint,
  created_at timestamptz,
  type text,
  scope text,
  user_id text,
  topic text,
  detail jsonb,
  private_data jsonb,
  key text,
  replay_of bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _found djr._consumer;
  _place djr._consumer_place;
  _due record;
  _ids bigint[];
begin
  if consume.max_events is null or consume.max_events < 1 then
    raise exception using
      errcode = 'DJR10',
      message = format('max_events must be at least 1 (it is %s)', coalesce(consume.max_events::text, 'null')),
      detail = format('It is %s.', coalesce(consume.max_events::text, 'null')),
      hint = 'Leave it out for the default of 100.';
  elsif consume.mode is null or consume.mode not in ('wait', 'skip', 'share') then
    raise exception using
      errcode = 'DJR10',
      message = format('mode must be wait, skip or share (it is %s)', coalesce(to_json(consume.mode)::text, 'null')),
      detail = format('It is %s.', coalesce(to_json(consume.mode)::text, 'null')),
      hint = 'wait: one caller at a time. skip: nothing, while another is at it. share: events that no other caller has.';
  end if;

  _found := djr._find_consumer(consume.name);
  _place := djr._place_of(_found);
  if _place.upto is null
    and not exists (
      select
      from djr.event
      where event.xid = any (array(select pg_snapshot_xip(_place.frontier)))
    )
    -- With exists() the planner might search the whole table.
    and (
      select event.id
      from djr.event
      where event.xid >= pg_snapshot_xmax(_place.frontier)
      order by event.xid, event.id
      limit 1
    ) is null
  then
    if not (select settings.storage from djr.settings) then
      raise exception using
        errcode = 'DJR06',
        message = 'a consumer needs storage, and storage is off',
        detail = 'What is published now is not stored, and no consumer will get it.',
        hint = 'Switch it on: select djr.configure(storage => true).';
    end if;
    return;
  end if;

  if consume.mode = 'share' then
    perform from djr._consumer where _consumer.id = _found.id for share;
    _ids := djr._share_due(_found, consume.max_events);
  else
    if consume.mode = 'wait' then
      perform from djr._consumer where _consumer.id = _found.id for no key update;
    else
      perform from djr._consumer where _consumer.id = _found.id for no key update skip locked;
      if not found then
        return;
      end if;
    end if;
    _place := djr._place_of(_found);
    select * into _due from djr._take_due(_found, _place, consume.max_events, 'take') due;
    if djr._has_fixed_snapshot() then
      -- This snapshot does not see which events other callers have taken with mode share since it was taken, and their commits need not
      -- have moved the place. Inserting the same events here makes each such case a conflict, SQLSTATE 40001, instead of a second
      -- delivery. djr._move_consumer deletes these rows again.
      insert into djr._consumer_done (consumer, event_id, xid)
      select _found.id, event.id, event.xid
      from djr.event
      where event.id = any (_due.ids)
      on conflict do nothing;
    end if;
    perform djr._move_consumer(_due.behind);
    _ids := _due.ids;
  end if;

  return query
  select
    event.id,
    event.created_at,
    event.type::text,
    event.scope::text,
    event.user_id::text,
    event.topic::text,
    event.detail::jsonb,
    event.private_data,
    event.key::text,
    event.replay_of
  from djr.event
  where event.id = any (_ids)
  order by event.id;
end
$$;

comment on function djr.consume(text, integer, text) is
  'Returns the next events for a consumer in the order of their ids, and moves its place in the caller''s transaction: what the transaction does with the events commits together with the place. It reads by snapshot, as a sweep does: an event that commits after one snapshot comes with a later one and is not skipped, even if its id is lower. No rows means that nothing is due. mode wait (the default) waits while another transaction consumes; skip returns nothing then; share takes events that no other caller has taken, and they come again if its transaction is rolled back. DJR10: max_events is below 1, or mode is another word. DJR20: there is no such consumer. DJR22: it was overtaken, or restored from a dump. DJR06: nothing is due, and storage is off.';
