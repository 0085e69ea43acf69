create or replace function djr.set_delivery_mode(mode text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _mode integer := array_position(array['notify', 'sweep'], set_delivery_mode.mode);
  _channel text;
begin
  if _mode is null then
    raise exception using
      errcode = 'DJR10',
      message = format('the delivery mode must be notify or sweep (it is %s)', coalesce(to_json(set_delivery_mode.mode)::text, 'null')),
      detail = format('It is %s.', coalesce(to_json(set_delivery_mode.mode)::text, 'null')),
      hint = 'To let the runtimes decide: select djr.configure(delivery => ''auto'').';
  end if;

  select settings.channel into _channel from djr.settings where settings.delivery = 'auto';
  if not found then
    return false;
  end if;
  perform setval('djr.delivery_mode', _mode);
  -- Without the doorbell an instance that relies on NOTIFY would learn of the change only at its next regular sweep.
  perform djr._ring(_channel);
  return true;
end
$$;

comment on function djr.set_delivery_mode(text) is
  'Sets how events reach the runtimes, notify or sweep, at once and for every session, and makes the runtimes sweep. Does nothing and returns false unless the setting delivery is auto.';
