-- Drops a helper that the first migrations created.
drop function if exists djr._publish_row(text, text, text, text[], text, jsonb);

-- SECURITY DEFINER, so that a role that may change the row needs no right to publish. The formats of dates and numbers are fixed and not
-- the session's: otherwise two sessions could write the id of one row, or of one user, in two ways.
create or replace function djr.publish_row() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
-- No query here runs long enough for just-in-time compilation to pay.
set jit = off
-- The plans do not depend on the row, so none is made anew for each row.
set plan_cache_mode = force_generic_plan
as $$
declare
  _type text := tg_argv[0];
  _op text := lower(tg_op);
  _columns text[];
  _audience text[];
  _id_column text;
  _scope text;
  _refuse boolean;
  _row text;
  _old_table name;
  _new_table name;
  -- Whether the old and the new rows of an update are matched by their positions in the transition tables; otherwise by their ids.
  _by_place boolean := true;
  _query text;
  _before jsonb;
  _before_audience text;
  _before_id jsonb;
  _after jsonb;
  _after_audience text;
  _after_id jsonb;
begin
  if tg_when <> 'AFTER' or tg_op = 'TRUNCATE' or tg_nargs not between 3 and 5 then
    perform djr._refuse_trigger(
      tg_name,
      tg_relid,
      format('It is %s %s for each %s with %s arguments.', lower(tg_when), _op, lower(tg_level), tg_nargs)
    );
  end if;
  _refuse := case coalesce(nullif(trim(tg_argv[4]), ''), 'truncate') when 'truncate' then false when 'refuse' then true end;
  if _refuse is null then
    perform djr._refuse_trigger(
      tg_name, tg_relid, format('The fifth argument must be truncate or refuse; it is %s.', to_json(tg_argv[4]))
    );
  end if;
  if djr._is_valid(null, _type, '{}') is not true then
    perform djr._validate('public', null, _type, '{}', null, '', null);
  end if;

  -- The scope follows from the form of the second argument. null: everyone. Two elements: a column of users. Any odd number of elements:
  -- a topic.
  _audience := djr._row_audience(tg_name, tg_relid, tg_argv[1]);
  _scope := case when _audience is null then 'public' when cardinality(_audience) = 2 then 'user' else 'topic' end;

  _columns := case
    when strpos(tg_argv[2], '"') > 0 then djr._row_names(tg_argv[2])
    else array_remove(regexp_split_to_array(trim(tg_argv[2]), E'\\s*,\\s*'), '')
  end;
  if _columns && '{op,:id,:old_id,truncated}' then
    perform djr._refuse_trigger(
      tg_name, tg_relid, 'It sends a column op, :id, :old_id or truncated: each detail has one of its own that says something else.'
    );
  end if;
  _id_column := case when tg_argv[3] like '"%"' then (djr._row_names(tg_argv[3]))[1] else nullif(trim(tg_argv[3]), '') end;
  _row := djr._row_columns(tg_relid, _columns, _audience, _id_column);

  if tg_level = 'STATEMENT' then
    select pg_trigger.tgoldtable, pg_trigger.tgnewtable
    into _old_table, _new_table
    from pg_trigger
    where pg_trigger.tgrelid = tg_relid
      and pg_trigger.tgname = tg_name;
    if tg_op <> 'INSERT' and _old_table is null or tg_op <> 'DELETE' and _new_table is null then
      perform djr._refuse_trigger(
        tg_name,
        tg_relid,
        format(
          'It is for each statement, without referencing %s, so that it cannot see the rows.',
          case tg_op when 'INSERT' then 'new table' when 'DELETE' then 'old table' else 'old table and new table' end
        )
      );
    end if;
    if tg_op = 'UPDATE' then
      execute format(
        'select (select pg_catalog.count(*) from %I) operator(pg_catalog.=) (select pg_catalog.count(*) from %I)',
        _old_table, _new_table
      )
      into _by_place;
    end if;
    _query := djr._row_statement(_old_table, _new_table, _row, _by_place, _op, _scope, _type, _refuse);
    -- While storage is off, events are published without rows.
    if (select settings.storage from djr.settings) then
      execute format('insert into djr.event (scope, %I, type, detail) ', case _scope when 'topic' then 'topic' else 'user_id' end) || _query;
    else
      execute format(
        'select djr._publish(event.scope, %s, event.type, event.detail, null, null, %s, true) from (%s) event',
        case _scope when 'topic' then 'null' else 'event.audience' end,
        case _scope when 'topic' then 'event.audience' else 'null' end,
        _query
      );
    end if;
    return null;
  end if;

  if tg_op = 'INSERT' then
    execute 'select ' || format(_row, '($1)') into _after, _after_audience, _after_id using new;
  elsif tg_op = 'DELETE' then
    execute 'select ' || format(_row, '($1)') into _before, _before_audience, _before_id using old;
  else
    execute 'select ' || format(_row, '($1)') || ', ' || format(_row, '($2)')
    into _before, _before_audience, _before_id, _after, _after_audience, _after_id
    using old, new;
  end if;

  insert into djr.event (scope, user_id, topic, type, detail)
  select
    _scope,
    case when _scope <> 'topic' then event.audience end,
    case when _scope = 'topic' then event.audience end,
    _type,
    event.detail
  from djr._row_events(
    _op, _scope, _type, _refuse, _before, _before_audience, _before_id, _after, _after_audience, _after_id
  ) event
  where (select settings.storage from djr.settings);
  -- While storage is off, events are published without rows.
  if not found and (select settings.storage from djr.settings) is not true then
    perform djr._publish(
      _scope,
      case when _scope <> 'topic' then event.audience end,
      _type,
      event.detail,
      null,
      null,
      case when _scope = 'topic' then event.audience end,
      true
    )
    from djr._row_events(
      _op, _scope, _type, _refuse, _before, _before_audience, _before_id, _after, _after_audience, _after_id
    ) event;
  end if;
  return null;
end
$$;

comment on function djr.publish_row() is
  'A trigger function for any table: after insert or update or delete ... for each row execute function djr.publish_row(type, user column, topic:room:{column} for a topic, or '''' for everyone, columns to send, id column, truncate or refuse). For statements of many rows declare it for each statement instead, a trigger for each of insert, update and delete, with referencing old table as ... new table as .... detail has the columns as to_jsonb has them, op (insert, update or delete) and :id (the primary key, or the column of the fourth argument), as a text unless it is a safe integer of JavaScript; after a change of the id it has :old_id, too. A topic may name any number of columns in braces. Nothing is published for a row without a user, or with a null or empty column of the topic, or when no named column changed. If an update moves the row to another user or topic, the old one gets op delete. For a user or a topic that no event can have there is a warning and no event. A row too large for an event is published as :id, op and truncated: true; with refuse as fifth argument the write fails with DJR05, or DJR03 or DJR18. DJR08 if the trigger does not fit the table.';
