-- How djr._row_value has to treat a type. It goes by oids and not by names, which the app could have given to types of its own: types
-- with an oid below 16384 came with the cluster.
create or replace function djr._type_form(
  type oid
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _base pg_type;
  _element oid;
begin
  select pg_type.* into _base from pg_type where pg_type.oid = djr._base_type(_type_form.type);
  select pg_type.oid into _element from pg_type where pg_type.typarray = _base.oid;
  return case
    when _base.oid = 'json'::regtype then 'json'
    when _base.typtype = 'c' then 'composite'
    when _element is not null and djr._type_form(_element) <> 'plain' then 'array'
    when _element is not null or _base.oid < 16384 then 'plain'
    else 'text'
  end;
end
$$;

comment on function djr._type_form(oid) is
  'How a value of this type becomes JSON safely. plain: by to_jsonb; json, composite, array: it has to be taken apart; text: only by its output function. Internal.';
