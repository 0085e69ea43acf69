-- Which events a changed row makes, and for whom: the one place that says so, for a row and for a statement of them.
-- Plain SQL without SET, so that the planner puts it into its callers' queries. audience: the user or the topic.
-- Of the first migrations: of users only.
drop function if exists djr._row_events(text, text, text, boolean, jsonb, text, jsonb, jsonb, text, jsonb);

create or replace function djr._row_events(
  op text,
  scope text,
  type text,
  refuse boolean,
  before jsonb,
  before_audience text,
  before_id jsonb,
  after jsonb,
  after_audience text,
  after_id jsonb
) returns table (part integer, audience text, detail jsonb)
language sql
stable
rows 1
as $$
  select
    event.part,
    event.audience,
    case
      when refuse or pg_catalog.octet_length(event.detail::pg_catalog.text) operator(pg_catalog.<=) 5500 then event.detail
      else djr._row_brief(type, event.audience, event.detail)
    end
  from (
    -- Whom (or which room) an update takes the row from must see it go, under the id that they know.
    select
      1 as part,
      before_audience as audience,
      before operator(pg_catalog.||) djr._row_members('delete', before_id, null) as detail
    where op operator(pg_catalog.=) 'update'
      and scope operator(pg_catalog.<>) 'public'
      and before_audience operator(pg_catalog.<>) ''
      and not coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
    union all
    select
      2,
      case when scope operator(pg_catalog.<>) 'public' then case when op operator(pg_catalog.=) 'delete' then before_audience else after_audience end end,
      case when op operator(pg_catalog.=) 'delete' then before else after end
        operator(pg_catalog.||) djr._row_members(
          op,
          case when op operator(pg_catalog.=) 'delete' then before_id else after_id end,
          -- Not for a user who never had the row under the old one.
          case
            when op operator(pg_catalog.=) 'update'
              and not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
              and coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
              then before_id
          end
        )
    -- A row that belongs to nobody (a guest's order) is for nobody; in no case for everyone.
    where (scope operator(pg_catalog.=) 'public' or case when op operator(pg_catalog.=) 'delete' then before_audience else after_audience end operator(pg_catalog.<>) '')
      and (
        op operator(pg_catalog.<>) 'update'
        or not coalesce(before operator(pg_catalog.=) after, before is null and after is null)
        or not coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
        or not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
      )
  ) event
  where case
    when pg_catalog.length(event.audience) operator(pg_catalog.>) 255
      or scope operator(pg_catalog.=) 'topic' and not djr._is_topic(event.audience)
      then djr._row_misfit(scope, type, event.audience, refuse)
    else true
  end
$$;

comment on function djr._row_events(text, text, text, boolean, jsonb, text, jsonb, jsonb, text, jsonb) is
  'The events of one row that djr.publish_row was fired for: op, the columns, the user or topic, and the id before and after. Internal.';
