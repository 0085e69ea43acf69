-- Called for large details only.
-- Of the first migrations: of users only.
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
  -- What the message may have, without what it has besides: 110 bytes are the most that djr.event's own fields take, the null and
  -- the comma of an event with a topic among them.
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
  'The detail of a row''s event if it fits into a message; else :id, :old_id, op and truncated, without the ids where even they are too large. Internal.';
