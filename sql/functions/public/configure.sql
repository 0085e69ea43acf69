-- Only the schema's owner may call it: it is granted to nobody and is not SECURITY DEFINER.
-- Earlier versions had fewer parameters. They are dropped, because a function with one parameter more would stand beside them.
drop function if exists djr.configure(boolean, text, interval, text, text);
drop function if exists djr.configure(boolean, text, interval, text, text, real, text, boolean);

create or replace function djr.configure(
  storage boolean default null,
  channel text default null,
  retention interval default null,
  activity text default null,
  delivery text default null,
  queue_limit real default null,
  authorize_topic text default null,
  rotate_seal_key boolean default false,
  consumer_retention interval default null,
  max_bytes integer default null
) returns djr.settings
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before djr.settings;
  _after djr.settings;
  _function text;
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
  elsif configure.consumer_retention < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = format('consumer_retention must not be negative (it is %s)', configure.consumer_retention),
      detail = format('It is %s.', configure.consumer_retention),
      hint = 'For example ''7 days''; ''0'' keeps events until every consumer has had them.';
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
      message = format('queue_limit must be between 0.001 and 1 (it is %s)', configure.queue_limit),
      detail = format('It is %s.', configure.queue_limit),
      hint = 'It is a share of the NOTIFY queue: 0.25 is a quarter.';
  elsif configure.max_bytes not between 7999 and 1048576 then
    raise exception using
      errcode = 'DJR10',
      message = format('max_bytes must be between 7999 and 1048576 (it is %s)', configure.max_bytes),
      detail = format('It is %s.', configure.max_bytes),
      hint = '7999 is what NOTIFY carries; a larger event is read by a sweep. What is larger than 1 MiB is fetched better than pushed.';
  end if;
  if configure.authorize_topic <> '' then
    -- Stored with its schema, so that it is found whatever the search_path is when it is called.
    begin
      select format('%I.%I', pg_namespace.nspname, pg_proc.proname)
      into _function
      from pg_proc
      join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
      where pg_proc.oid = to_regprocedure(configure.authorize_topic || '(text, text)')
        and pg_proc.prokind = 'f'
        and pg_proc.prorettype = 'boolean'::regtype
        and not pg_proc.proretset;
    exception when syntax_error or invalid_name then
      -- The text is no name of a function at all; it is refused below.
    end;
    if _function is null then
      raise exception using
        errcode = 'DJR10',
        message = format(
          'the setting authorize_topic must name a function (text, text) returns boolean (there is none named %s)',
          configure.authorize_topic
        ),
        detail = format('There is none named %s.', configure.authorize_topic),
        hint = 'Name it with its schema, app.may_hear; '''' stops asking.';
    end if;
  end if;

  -- This creates the row of the settings if it is missing.
  perform djr.channel();
  select * into strict _before from djr.settings;
  update djr.settings
  set
    storage = coalesce(configure.storage, settings.storage),
    channel = coalesce(configure.channel, settings.channel),
    retention = nullif(coalesce(configure.retention, settings.retention), interval '0'),
    consumer_retention = nullif(coalesce(configure.consumer_retention, settings.consumer_retention), interval '0'),
    activity = coalesce(configure.activity, settings.activity),
    delivery = coalesce(configure.delivery, settings.delivery),
    authorize_topic = case when configure.authorize_topic = '' then null else coalesce(_function, settings.authorize_topic) end,
    queue_limit = coalesce(configure.queue_limit, settings.queue_limit),
    max_bytes = coalesce(configure.max_bytes, settings.max_bytes),
    largest_bytes = greatest(settings.largest_bytes, settings.max_bytes, configure.max_bytes),
    -- Events that were published while storage was off have no row. A client that resumes from a snapshot without this transaction
    -- cannot get them, so it must be reset, just as if they had been pruned.
    pruned_xid = case
      when configure.storage and not settings.storage then greatest(settings.pruned_xid, pg_current_xact_id())
      else settings.pruned_xid
    end
  returning * into strict _after;

  if configure.delivery in ('notify', 'sweep') then
    perform setval('djr.delivery_mode', array_position(array['notify', 'sweep'], configure.delivery));
  end if;
  if configure.storage and not _before.storage then
    perform djr._overtake_all('storage was off, and what was published meanwhile was not stored');
  end if;
  if configure.rotate_seal_key then
    perform djr._new_seal_key();
  end if;
  if _after is distinct from _before or configure.rotate_seal_key then
    -- The doorbell goes to the old channel, on which the runtimes still listen: they then read the new settings and the new channel.
    perform djr._ring(_before.channel);
  end if;
  return _after;
end
$$;

comment on function djr.configure(boolean, text, interval, text, text, real, text, boolean, interval, integer) is
  'Changes the settings that are given and returns all of them. max_bytes, 7999 to 1048576, lets events through that NOTIFY cannot carry; retention => ''0'' keeps events for ever; consumer_retention => ''0'' keeps them until every consumer has had them, where it is else a week at most; authorize_topic => '''' stops asking; rotate_seal_key => true signs seals with a new key, and seals of the previous key stay valid. For the schema''s owner.';
