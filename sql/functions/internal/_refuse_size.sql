create or replace function djr._refuse_size(
  type text,
  size integer
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR05',
    message = format('event "%s" is too large: its message must have at most 7999 bytes (it has %s)', _refuse_size.type, _refuse_size.size),
    detail = format('Its message is %s bytes; the limit is 7999 bytes.', _refuse_size.size),
    hint = 'Send a reference, an id for example, and let the client fetch the rest.';
end
$$;

comment on function djr._refuse_size(text, integer) is
  'Raises DJR05. Internal.';
