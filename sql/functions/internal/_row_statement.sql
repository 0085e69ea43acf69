-- Builds a query for the events of a statement's rows, in the order of the rows. The query has no WITH: a name in it could hide the
-- transition tables, whose names the app chose.
--
-- PostgreSQL appends the old and the new row of an update to the two transition tables in one step, so both have the same place in
-- their tables, and they are matched by place even if the id changed. If an old row has no new one (a trigger of a partition refused
-- the row that was to move there), places do not match: then by_place is false, and rows are matched by their ids.
create or replace function djr._row_statement(
  old_table name,
  new_table name,
  row_columns text,
  by_place boolean,
  op text,
  scope text,
  type text,
  refuse boolean
) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _side constant text := '(select pg_catalog.row_number() over (), %1$s from %2$I as _row) %3$I (place, columns, audience, id)';
  _columns text := format(_row_statement.row_columns, '_row');
  _before text := format(_side, _columns, coalesce(_row_statement.old_table, 'none'), 'before');
  _after text := format(_side, _columns, coalesce(_row_statement.new_table, 'none'), 'after');
  _absent constant text := 'null::pg_catalog.jsonb, null::pg_catalog.text, null::pg_catalog.jsonb';
begin
  return format(
    'select %1$L as scope, event.audience, %2$L as type, event.detail from %3$s cross join lateral '
      'djr._row_events(%4$s, %1$L, %2$L, %5$L, %6$s, %7$s) event order by %8$s, event.part',
    _row_statement.scope,
    _row_statement.type,
    case _row_statement.op
      when 'insert' then _after
      when 'delete' then _before
      else _before || ' full join ' || _after || ' on ' || case
        when _row_statement.by_place then 'before.place operator(pg_catalog.=) after.place'
        else 'before.id operator(pg_catalog.=) after.id'
      end
    end,
    case
      when _row_statement.op = 'update' and not _row_statement.by_place
        then 'case when after.place is null then ''delete'' when before.place is null then ''insert'' else ''update'' end'
      else quote_literal(_row_statement.op)
    end,
    _row_statement.refuse,
    case when _row_statement.op = 'insert' then _absent else 'before.columns, before.audience, before.id' end,
    case when _row_statement.op = 'delete' then _absent else 'after.columns, after.audience, after.id' end,
    case _row_statement.op
      when 'insert' then 'after.place'
      when 'delete' then 'before.place'
      else 'coalesce(after.place, before.place)'
    end
  );
end
$$;

comment on function djr._row_statement(name, name, text, boolean, text, text, text, boolean) is
  'A query for the events of all rows that a statement changed. Only djr.publish_row can run it, as only the trigger function sees the transition tables. Internal.';
