-- A replay is a row like any other, so it is durable, and sweeps and resumes find it. Its replay_of tells it from the original.
create or replace function djr.replay(ids bigint[]) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _missing bigint[];
begin
  if not (select settings.storage from djr.settings) then
    raise exception using
      errcode = 'DJR06',
      message = 'a replay needs storage, and storage is off',
      hint = 'Switch it on: select djr.configure(storage => true). Only what was published since then can be replayed.';
  end if;

  select array_agg(wanted.id order by wanted.place)
  into _missing
  from unnest(replay.ids) with ordinality wanted (id, place)
  where not exists (select from djr.event where event.id = wanted.id);
  if _missing is not null then
    raise exception using
      errcode = 'DJR07',
      message = format('there is no event %s', array_to_string(_missing, ', ', 'null')),
      detail = 'It was never stored, was rolled back, or was pruned.',
      hint = 'The events there are: select * from djr.event order by id desc.';
  end if;

  -- An order of djr.disconnect or djr.recheck is not replayed: a user who has logged in again since must not be cut off.
  select array_agg(event.id order by event.id)
  into _missing
  from djr.event
  where event.id = any(replay.ids) and event.scope = 'control';
  if _missing is not null then
    raise exception using
      errcode = 'DJR07',
      message = format('there is no event %s that can be replayed', array_to_string(_missing, ', ')),
      detail = 'It is an order of djr.disconnect or djr.recheck, which is carried out once.',
      hint = 'Give the order again: select djr.disconnect(...), or select djr.recheck(...).';
  end if;

  return query
  insert into djr.event (scope, user_id, topic, type, detail, private_data, replay_of)
  select
    original.scope,
    original.user_id,
    original.topic,
    original.type,
    original.detail,
    original.private_data,
    coalesce(original.replay_of, original.id)
  from unnest(replay.ids) with ordinality wanted (id, place)
  join djr.event original on original.id = wanted.id
  order by wanted.place
  returning event.id;
end
$$;

comment on function djr.replay(bigint[]) is
  'Sends stored events again, in the order given, and returns the ids of the new events. Their replay_of is the original, for a replay of a replay too. All or nothing (DJR07 names what is missing, or is an order of djr.disconnect or djr.recheck; DJR06 with storage off).';

create or replace function djr.replay(id bigint) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select djr.replay(array[replay.id]));
end
$$;

comment on function djr.replay(bigint) is
  'Sends a stored event again and returns the id of the new event, whose replay_of is the original (DJR07 if there is none, DJR06 with storage off).';
