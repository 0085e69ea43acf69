-- An app may have triggers of its own on djr.event. One that returns null before the insert keeps the row out, and with it the event.
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._may_be_kept_out() returns boolean
language sql
stable
as $$
  select exists (
    select
    from pg_catalog.pg_trigger
    where pg_trigger.tgrelid operator(pg_catalog.=) 'djr.event'::pg_catalog.regclass
      and not pg_trigger.tgisinternal
      and pg_trigger.tgenabled operator(pg_catalog.<>) 'D'
      -- For each row, before, insert: bits 0, 1 and 2.
      and (pg_trigger.tgtype::integer operator(pg_catalog.&) 7) operator(pg_catalog.=) 7
  )
$$;

comment on function djr._may_be_kept_out() is
  'Whether djr.event has a trigger of the app that may keep a row out. Internal.';
