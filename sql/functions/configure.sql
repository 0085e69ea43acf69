-- For the schema's owner: not granted to anyone, and not SECURITY DEFINER.
-- With a parameter more it would be a second function.
drop function if exists djr.configure(boolean, text, interval, text, text);

create or replace function djr.configure(
  storage boolean default null,
  channel text default null,
  retention interval default null,
  activity text default null,
  delivery text default null,
  queue_limit real default null
) returns djr.settings
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before djr.settings;
  _after djr.settings;
begin
  if octet_length(configure.channel) not between 1 and 63 then
    raise exception using
      errcode = 'DJR10',
      message = format('channel must have 1 to 63 bytes (it has %s)', octet_length(configure.channel)),
      detail = format('It has %s.', octet_length(configure.channel)),
      hint = 'Whoever can guess it can listen: choose it at random.';
  elsif configure.retention < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = format('retention must not be negative (it is %s)', configure.retention),
      detail = format('It is %s.', configure.retention),
      hint = 'For example ''30 days''; ''0'' keeps events for ever.';
  elsif configure.activity not in ('off', 'summary', 'full') then
    raise exception using
      errcode = 'DJR10',
      message = format('activity must be off, summary or full (it is %s)', to_json(configure.activity)),
      detail = format('It is %s.', to_json(configure.activity)),
      hint = 'summary: a row an event and instance. full: a row a user, too.';
  elsif configure.delivery not in ('auto', 'notify', 'sweep') then
    raise exception using
      errcode = 'DJR10',
      message = format('delivery must be auto, notify or sweep (it is %s)', to_json(configure.delivery)),
      detail = format('It is %s.', to_json(configure.delivery)),
      hint = 'auto is right unless you measured otherwise.';
  elsif not configure.queue_limit between 0.001 and 1 then
    raise exception using
      errcode = 'DJR10',
      message = 'the setting queue_limit must be between 0.001 and 1',
      detail = format('It is %s.', configure.queue_limit),
      hint = 'It is a share of the NOTIFY queue: 0.25 is a quarter.';
  end if;

  -- Where the row is missing this makes it.
  perform djr.channel();
  select * into strict _before from djr.settings;
  update djr.settings
  set
    storage = coalesce(configure.storage, settings.storage),
    channel = coalesce(configure.channel, settings.channel),
    retention = nullif(coalesce(configure.retention, settings.retention), interval '0'),
    activity = coalesce(configure.activity, settings.activity),
    delivery = coalesce(configure.delivery, settings.delivery),
    queue_limit = coalesce(configure.queue_limit, settings.queue_limit),
    -- What was published meanwhile was not stored: for whoever does not see this transaction yet it is as good as pruned.
    pruned_xid = case
      when configure.storage and not settings.storage then greatest(settings.pruned_xid, pg_current_xact_id())
      else settings.pruned_xid
    end
  returning * into strict _after;

  if configure.delivery in ('notify', 'sweep') then
    perform setval('djr.delivery_mode', array_position(array['notify', 'sweep'], configure.delivery));
  end if;
  if _after is distinct from _before then
    -- On the channel that the runtimes listen on: they read the settings anew, the channel's name included.
    perform djr._ring(_before.channel);
  end if;
  return _after;
end
$$;

comment on function djr.configure(boolean, text, interval, text, text, real) is
  'Changes the settings that are given and returns all of them. retention => ''0'' keeps events for ever. For the schema''s owner.';
