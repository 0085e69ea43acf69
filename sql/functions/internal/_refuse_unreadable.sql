-- Only the owner can write the columns id, xid and created_at. With such a value no runtime could deliver the event.
create or replace function djr._refuse_unreadable(header json) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR16',
    message = format('event "%s" must have an id, a transaction and a time that every runtime can read', header ->> 4),
    detail = format('Its id is %s, its transaction %s, its milliseconds since 1970 are %s.', header ->> 0, header ->> 1, header ->> 5),
    hint = 'Leave id, xid and created_at to the database; ids and transactions are below 2^53, and times between 1970 and the year 255478.';
end
$$;

comment on function djr._refuse_unreadable(json) is
  'Raises DJR16: no runtime could read the event. Internal.';
