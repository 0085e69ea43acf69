create or replace function djr._base64url(bytes bytea) returns text
language sql
immutable
as $$
  select pg_catalog.rtrim(
    pg_catalog.translate(pg_catalog.encode(bytes, 'base64'), E'+/\n', '-_'),
    '='
  )
$$;

comment on function djr._base64url(bytea) is
  'Base64 for URLs, without padding (RFC 4648, section 5). Internal.';
