-- djr._row_events calls it for large details only.
-- The first migrations made it for users only.
drop function if exists djr._row_brief(text, text, jsonb);

create or replace function djr._row_brief(
  type text,
  audience text,
  detail jsonb
) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The bytes that a message has left for the detail, beside the type and the audience. The values that djr itself puts into the header
  -- take 110 bytes at most, including the null and the comma of an event with a topic.
  _room integer := coalesce(
      (select case when settings.storage then settings.max_bytes else 7999 end from djr.settings), 7999
    )
    - 110
    - octet_length(to_json(_row_brief.type)::text)
    - coalesce(octet_length(to_json(_row_brief.audience)::text), 0);
  _brief jsonb;
begin
  if octet_length(_row_brief.detail::text) <= _room then
    return _row_brief.detail;
  end if;
  _brief := jsonb_strip_nulls(jsonb_build_object(
    ':id', _row_brief.detail -> ':id',
    ':old_id', _row_brief.detail -> ':old_id',
    'op', _row_brief.detail -> 'op',
    'truncated', true
  ));
  if octet_length(_brief::text) > _room then
    _brief := _brief - '{:id,:old_id}'::text[];
  end if;
  return _brief;
end
$$;

comment on function djr._row_brief(text, text, jsonb) is
  'The detail of a row''s event if it fits into a message; otherwise only :id, :old_id, op and truncated, and if even the ids are too large, only op and truncated. Internal.';
