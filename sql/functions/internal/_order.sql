-- An order is what djr.disconnect and djr.recheck tell the runtimes to do: a row in djr.event with scope control and a replay_of of 0,
-- neither of which a publisher can write. It is stored even while storage is off, so that a sweep finds it if its NOTIFY was not
-- heard or not sent.
create or replace function djr._order(
  type text,
  user_id text,
  reason text,
  topic text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _detail jsonb := jsonb_strip_nulls(jsonb_build_object('reason', left(_order.reason, 255), 'topic', _order.topic));
begin
  if _order.user_id is null and _order.type = 'disconnect' or length(_order.user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = format(
        'a user_id must have 1 to 255 characters (it %s)', coalesce('has ' || length(_order.user_id), 'is null')
      ),
      hint = 'Pass the id by which your login knows the user.';
  elsif _order.type not in ('disconnect', 'recheck') or _order.type is null then
    raise exception using
      errcode = 'DJR10',
      message = format('an order must be disconnect or recheck (it is %s)', coalesce(to_json(_order.type)::text, 'null'));
  end if;
  if _order.type = 'recheck' then
    if _order.topic is not null then
      perform djr._validate_topic(_order.topic);
    end if;
    insert into djr.revocation (user_id, topic) values (_order.user_id, _order.topic);
    delete from djr.revocation
    where revocation.created_at < clock_timestamp()
      - make_interval(secs => coalesce(pg_sequence_last_value('djr.seal_longest'), 3600));
  end if;
  insert into djr.event (scope, type, user_id, detail, replay_of)
  values ('control', _order.type, _order.user_id, _detail, 0);
end
$$;

comment on function djr._order(text, text, text, text) is
  'Stores an order to the runtimes and announces it; granted by djr.grant_seal and djr.grant_server. Internal.';
