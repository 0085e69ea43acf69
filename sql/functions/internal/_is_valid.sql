-- The rules of djr._validate that concern a single column, as one condition with few calls: PL/pgSQL prepares an expression anew in
-- every transaction, and each function in it costs time. The insert trigger checks whether scope and user fit together.
-- Plain SQL without SET, so that the planner inlines it. Callers must read null as no.
create or replace function djr._is_valid(
  user_id text,
  type text,
  detail jsonb
) returns boolean
language sql
immutable
as $$
  select type operator(pg_catalog.!~)
      E'^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)?$|^djr:|[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
    and pg_catalog.length(type) operator(pg_catalog.<=) 200
    and detail operator(pg_catalog.@>) '{}'
    and (
      user_id is null
      or user_id operator(pg_catalog.<>) '' and pg_catalog.length(user_id) operator(pg_catalog.<=) 255
    )
$$;

comment on function djr._is_valid(text, text, jsonb) is
  'Whether djr._validate would accept type, user and detail. Where it would not, call djr._validate for the error. Internal.';
