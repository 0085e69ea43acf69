-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_readable(
  id bigint,
  xid xid8,
  created_at timestamptz
) returns boolean
language sql
immutable
as $$
  select id operator(pg_catalog.>=) 1
    and id operator(pg_catalog.<=) 9007199254740991
    and created_at operator(pg_catalog.>=) '1970-01-01 00:00:00+00'
    and created_at operator(pg_catalog.<) '255479-01-01 00:00:00+00'
    and xid operator(pg_catalog.<) '9007199254740992'
$$;

comment on function djr._is_readable(bigint, xid8, timestamptz) is
  'Whether a runtime can read these values of an event: the numbers must be safe integers of JavaScript, and a Date must be able to hold the time. Internal.';
