-- Builds an SQL expression that converts a value as to_jsonb does. `value` is an expression of the type `type`.
--
-- djr.publish_row runs with the rights of djr's owner, so no expression may call code that a type's owner wrote. to_jsonb calls a cast
-- to json of any type that is not built in, wherever it finds one: in arrays, domains and composite types, too. A check for such a
-- cast would not help, because another session can create one right after it. Output functions are safe, because only a superuser
-- can create base types. Hence:
-- - built-in types, domains over them, and arrays of both go through to_jsonb as they are;
-- - a value of any other type becomes its output text; concat() calls the output function, where a cast could be somebody's code;
-- - an array of such values becomes an array of their texts: array_out and array_in agree on what a text[] is;
-- - a composite value is taken apart. Another session can change the type of a member at any time (unlike the type of a column in
--   use), so a member goes through to_jsonb only if it still has the built-in type that was read here;
-- - json may hold a value that jsonb cannot, such as \u0000, and the app's own write must not fail for it.
create or replace function djr._row_value(
  value text,
  type oid,
  is_member boolean default false
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _form text := djr._type_form(_row_value.type);
  _base oid := djr._base_type(_row_value.type);
  _element pg_type;
  _pairs text[];
begin
  if _form = 'plain' and not _row_value.is_member then
    return format('pg_catalog.to_jsonb(%s)', _row_value.value);
  elsif _form = 'plain' then
    return format(
      '(select case when pg_catalog.pg_typeof(_v.v) operator(pg_catalog.=) %L::pg_catalog.regtype '
        'then pg_catalog.to_jsonb(_v.v) else pg_catalog.to_jsonb(pg_catalog.concat(_v.v)) end '
        'from (select %s as v offset 0) _v)',
      _row_value.type, _row_value.value
    );
  end if;

  if _form = 'composite' then
    select array_agg(
      format(
        '%L, %s',
        replace(pg_attribute.attname, '%', '%%'),
        djr._row_value(
          format('(%s).%s', _row_value.value, replace(quote_ident(pg_attribute.attname), '%', '%%')),
          pg_attribute.atttypid,
          true
        )
      )
      order by pg_attribute.attnum
    )
    into _pairs
    from pg_type
    join pg_attribute on pg_attribute.attrelid = pg_type.typrelid
    where pg_type.oid = _base
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped;
    return format(
      'case when (%1$s) is not distinct from null then null else %2$s end',
      _row_value.value, djr._row_object(coalesce(_pairs, '{}'))
    );
  end if;

  select pg_type.* into _element from pg_type where pg_type.typarray = _base;
  return format(
    case
      when _form = 'json' then 'djr._json_value(%2$s)'
      when _form = 'text' or _element.typdelim <> ',' then 'pg_catalog.to_jsonb(%2$s)'
      when djr._type_form(_element.oid) = 'text' then 'pg_catalog.to_jsonb((%2$s)::pg_catalog.text[])'
      -- An array of more than one dimension: its elements become texts.
      else 'case when (%1$s) is not distinct from null then null '
        'when pg_catalog.array_ndims(%1$s) operator(pg_catalog.>) 1 then pg_catalog.to_jsonb((%2$s)::pg_catalog.text[]) '
        'else (select coalesce(pg_catalog.jsonb_agg(%3$s), ''[]'') from (select pg_catalog.unnest(%1$s) as e) _e) end'
    end,
    _row_value.value,
    format(
      'case when (%1$s) is distinct from null then pg_catalog.concat(%1$s) end',
      _row_value.value
    ),
    case when _form = 'array' then djr._row_value('_e.e', _element.oid, _row_value.is_member) end
  );
end
$$;

comment on function djr._row_value(text, oid, boolean) is
  'An SQL expression that converts a value to jsonb as to_jsonb does, but without calling code of the type''s owner: such a value becomes its output text. Internal.';
