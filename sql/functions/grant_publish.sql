-- Not SECURITY DEFINER: who may grant is who owns the objects. Not every member may be granted by a role
-- that is not the owner, so it refuses in PostgreSQL's own words.
create or replace function djr.grant_publish(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('grant usage on schema djr to %I', grant_publish.role);
  execute format('grant insert (scope, user_id, type, detail, private_data, key) on djr.event to %I', grant_publish.role);
  execute format(
    'grant execute on function
       djr._publish(text, text, text, jsonb, jsonb, text),
       djr.publish(text, text, jsonb, jsonb, text),
       djr.publish(bigint, text, jsonb, jsonb, text),
       djr.publish(uuid, text, jsonb, jsonb, text),
       djr.publish_public(text, jsonb, jsonb, text),
       djr.publish_global(text, jsonb, jsonb, text),
       djr.publish_system(text, jsonb, text, jsonb, text),
       djr.publish_system(text, jsonb, bigint, jsonb, text),
       djr.publish_system(text, jsonb, uuid, jsonb, text),
       djr.publish_many(jsonb),
       djr.publish_row(),
       djr.position()
     to %I',
    grant_publish.role
  );
end
$$;

comment on function djr.grant_publish(name) is
  'Lets a role publish: publish*, an INSERT of the columns that are the publisher''s to set, and position. It cannot read an event back.';
