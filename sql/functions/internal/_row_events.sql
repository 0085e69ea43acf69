-- The only place that decides which events a changed row makes, and for whom; triggers for each row and for each statement both use it.
-- Plain SQL without SET, so that the planner inlines it. An audience here is the name of a user or of a topic, as the scope says.
-- The first migrations made it for users only.
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
    -- If an update gives the row to another user or topic, the old one gets a delete, under the id that it knows the row by.
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
          -- The old id is only for a user or topic that had the row under it.
          case
            when op operator(pg_catalog.=) 'update'
              and not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
              and coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
              then before_id
          end
        )
    -- A row without a user, such as a guest's order, makes no event; above all none for everyone.
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
  'The events of one row for which djr.publish_row fired, from op and from the columns, the audience (user or topic) and the id before and after. Internal.';
