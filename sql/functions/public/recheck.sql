create or replace function djr.recheck(
  user_id text default null,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id, null, recheck.topic)
$$;

comment on function djr.recheck(text, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user (null: of every user) may still hear this topic (null: any topic). Seals made by a query that did not see this transaction no longer count for them. Call it in the transaction that deletes the membership.';
