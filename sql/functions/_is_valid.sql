-- The same rules as djr._validate, said in as few calls as can be: PL/pgSQL prepares an expression anew in every transaction,
-- and each function in it costs. Plain SQL without SET, so that the planner inlines it; null counts as no.
create or replace function djr._is_valid(
  scope text,
  user_id text,
  type text,
  detail jsonb
) returns boolean
language sql
immutable
as $$
  select pg_catalog.length(type) operator(pg_catalog.<=) 200
    and type operator(pg_catalog.~) '^[^\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+$'
    and type not in ('connected', 'reset')
    and pg_catalog.jsonb_typeof(detail) operator(pg_catalog.=) 'object'
    and case
      when user_id is null then scope in ('public', 'system')
      else scope in ('user', 'system')
        and user_id operator(pg_catalog.<>) ''
        and pg_catalog.length(user_id) operator(pg_catalog.<=) 255
    end
$$;

comment on function djr._is_valid(text, text, text, jsonb) is
  'Whether djr._validate would let an event without a key pass; it says why not. Internal.';
