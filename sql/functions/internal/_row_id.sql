-- JSON.parse in a browser reads 9007199254740993 as ...992, so two rows would share one event name `djr:TYPE:ID`: such a number is sent
-- as a text. So is an object, whose name would be "[object Object]".
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._row_id(
  id jsonb
) returns jsonb
language sql
immutable
as $$
  select case
    when pg_catalog.jsonb_typeof(_row_id.id) operator(pg_catalog.=) any (array['string', 'boolean']) then _row_id.id
    when pg_catalog.jsonb_typeof(_row_id.id) operator(pg_catalog.=) 'null' then null
    when pg_catalog.jsonb_typeof(_row_id.id) operator(pg_catalog.=) 'number' then case
      when pg_catalog.trunc((_row_id.id)::pg_catalog.numeric) operator(pg_catalog.=) (_row_id.id)::pg_catalog.numeric
        and pg_catalog.abs((_row_id.id)::pg_catalog.numeric) operator(pg_catalog.<=) 9007199254740991
        then _row_id.id
      else pg_catalog.to_jsonb((_row_id.id)::pg_catalog.text)
    end
    else pg_catalog.to_jsonb((_row_id.id)::pg_catalog.text)
  end
$$;

comment on function djr._row_id(jsonb) is
  'The value of a row''s :id: a text unless it is a safe integer of JavaScript (at most 2^53 - 1) or a boolean. Internal.';
