-- Plain SQL without SET, so that the planner inlines it. The common case, an id that did not change, takes the fewest calls.
create or replace function djr._row_members(
  op text,
  id jsonb,
  old_id jsonb
) returns jsonb
language sql
stable
as $$
  select case
    when old_id is not null then pg_catalog.jsonb_strip_nulls(
      pg_catalog.jsonb_build_object('op', op, ':id', id, ':old_id', old_id)
    )
    when id is null then pg_catalog.jsonb_build_object('op', op)
    else pg_catalog.jsonb_build_object('op', op, ':id', id)
  end
$$;

comment on function djr._row_members(text, jsonb, jsonb) is
  'The members that the detail of a row''s event has beside its columns: op, :id and, after a change of the id, :old_id. Internal.';
