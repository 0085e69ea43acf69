-- The first migrations made it with one limit only.
drop function if exists djr._refuse_size(text, integer);

create or replace function djr._refuse_size(
  type text,
  size integer,
  most integer,
  stored boolean
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR05',
    message = format(
      'event "%s" is too large: %sits message must have at most %s bytes (it has %s)',
      _refuse_size.type, case when not stored then 'without a row ' else '' end, most, size
    ),
    detail = format('Its message is %s bytes; the limit is %s bytes.', size, most),
    hint = case
      when not stored then 'NOTIFY alone carries no more. Store the event, or send a reference, an id for example.'
      when most < 1048576
        then 'Send a reference, an id for example, and let the client fetch the rest; or raise the limit, to 1 MiB at most: select djr.configure(max_bytes => 262144).'
      else 'Send a reference, an id for example, and let the client fetch the rest.'
    end;
end
$$;

comment on function djr._refuse_size(text, integer, integer, boolean) is
  'Raises DJR05: the message of an event is too large. Internal.';
