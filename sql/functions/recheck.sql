create or replace function djr.recheck(
  user_id text default null,
  topic text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if recheck.topic is not null then
    perform djr._validate_topic(recheck.topic);
  end if;
  insert into djr.revocation (user_id, topic) values (recheck.user_id, recheck.topic);
  delete from djr.revocation
  where revocation.created_at < clock_timestamp() - (select max(seal_key.longest) from djr.seal_key);
  perform djr._order('recheck', recheck.user_id, jsonb_strip_nulls(jsonb_build_object('topic', recheck.topic)));
end
$$;

comment on function djr.recheck(text, text) is
  'Has every runtime ask again, within a second of the commit, whether the clients of this user (null: of everyone) may still hear this topic (null: every one). Seals given before it no longer count for them. Call it in the transaction that deletes the membership.';
