-- jsonb cannot hold \u0000, half a surrogate pair, or a number with more than 131,072 digits; json can.
create or replace function djr._json_value(
  value text
) returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return _json_value.value::jsonb;
exception
  when untranslatable_character or invalid_text_representation or numeric_value_out_of_range then
    return to_jsonb(_json_value.value);
end
$$;

comment on function djr._json_value(text) is
  'JSON as jsonb, or as a text where jsonb cannot hold it. Internal.';
