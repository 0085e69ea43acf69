-- Not SECURITY DEFINER, as djr.grant_publish.
create or replace function djr.grant_server(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('grant usage on schema djr to %I', grant_server.role);
  execute format('grant select on djr.event, djr.activity, djr.settings, djr.instance, djr.event_status to %I', grant_server.role);
  execute format('grant select on sequence djr.delivery_mode to %I', grant_server.role);
  execute format('grant insert on djr.activity to %I', grant_server.role);
  if to_regclass('djr.migrations') is not null then
    execute format('grant select on djr.migrations to %I', grant_server.role);
  end if;
  execute format(
    'grant execute on function
       djr.channel(),
       djr.position(),
       djr.epoch(),
       djr.renew_epoch(text),
       djr.set_delivery_mode(text),
       djr.repair_xids(),
       djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text),
       djr.forget_instance(text),
       djr.record_activity(text, bigint[], text[], text[], integer[]),
       djr._acknowledge(text, text[], bigint[], text[]),
       djr.acknowledge(text, bigint[], text),
       djr.prune(interval),
       djr.prune_batch(interval, integer),
       djr.replay(bigint),
       djr.replay(bigint[])
     to %I',
    grant_server.role
  );
end
$$;

comment on function djr.grant_server(name) is
  'Gives a role what the runtime needs: reading events and settings, the channel, recording activity and acknowledgements, saying that it is there, pruning and replaying. It cannot publish; where the runtime publishes too, use djr.grant_publish as well.';
