-- Which events a changed row makes, and for whom: the one place that says so, for a row and for a statement of them.
-- Plain SQL without SET, so that the planner puts it into its callers' queries.
create or replace function djr._row_events(
  op text,
  scope text,
  type text,
  refuse boolean,
  before jsonb,
  before_user text,
  before_id jsonb,
  after jsonb,
  after_user text,
  after_id jsonb
) returns table (part integer, user_id text, detail jsonb)
language sql
stable
rows 1
as $$
  select
    event.part,
    event.user_id,
    case
      when refuse or pg_catalog.octet_length(event.detail::pg_catalog.text) operator(pg_catalog.<=) 5500 then event.detail
      else djr._row_brief(type, event.user_id, event.detail)
    end
  from (
    -- Whom an update takes the row from must see it go, under the id that they know.
    select
      1 as part,
      before_user as user_id,
      before operator(pg_catalog.||) djr._row_members('delete', before_id, null) as detail
    where op operator(pg_catalog.=) 'update'
      and scope operator(pg_catalog.=) 'user'
      and before_user operator(pg_catalog.<>) ''
      and not coalesce(before_user operator(pg_catalog.=) after_user, before_user is null and after_user is null)
    union all
    select
      2,
      case when scope operator(pg_catalog.=) 'user' then case when op operator(pg_catalog.=) 'delete' then before_user else after_user end end,
      case when op operator(pg_catalog.=) 'delete' then before else after end
        operator(pg_catalog.||) djr._row_members(
          op,
          case when op operator(pg_catalog.=) 'delete' then before_id else after_id end,
          -- Not for a user who never had the row under the old one.
          case
            when op operator(pg_catalog.=) 'update'
              and not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
              and coalesce(before_user operator(pg_catalog.=) after_user, before_user is null and after_user is null)
              then before_id
          end
        )
    -- A row that belongs to nobody (a guest's order) is for nobody; in no case for everyone.
    where (scope operator(pg_catalog.<>) 'user' or case when op operator(pg_catalog.=) 'delete' then before_user else after_user end operator(pg_catalog.<>) '')
      and (
        op operator(pg_catalog.<>) 'update'
        or not coalesce(before operator(pg_catalog.=) after, before is null and after is null)
        or not coalesce(before_user operator(pg_catalog.=) after_user, before_user is null and after_user is null)
        or not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
      )
  ) event
  where case
    when pg_catalog.length(event.user_id) operator(pg_catalog.>) 255 then djr._row_user_too_long(type, event.user_id, refuse)
    else true
  end
$$;

comment on function djr._row_events(text, text, text, boolean, jsonb, text, jsonb, jsonb, text, jsonb) is
  'The events of one row that djr.publish_row was fired for: op, the columns, the user and the id before and after. Internal.';
