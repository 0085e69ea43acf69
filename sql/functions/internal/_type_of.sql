-- The overloads for a detail of type json declare `type` as anycompatiblenonarray. PostgreSQL then prefers djr.publish(text, text, jsonb)
-- for a call that matches both, such as one with '{}', which may be json as well as jsonb. So no call is ambiguous.
create or replace function djr._type_of(type anycompatiblenonarray) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if djr._base_type(pg_typeof(_type_of.type)) <> all ('{text,varchar,bpchar,name}'::regtype[]) then
    raise exception using
      errcode = 'DJR01',
      message = format('the type of an event must be a text (it is of type %s)', pg_typeof(_type_of.type)),
      hint = 'Name what happened in a word or two: order_paid.';
  end if;
  return _type_of.type::text;
end
$$;

comment on function djr._type_of(anycompatiblenonarray) is
  'The type of an event as a text; DJR01 for a value that is no text. Internal.';
