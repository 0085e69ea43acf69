create or replace function djr._validate_topic(
  topic text,
  place text default ''
) returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if topic is null or pg_catalog.length(topic) not between 1 and 255 then
    raise exception using
      errcode = 'DJR18',
      message = place || 'a topic must have 1 to 255 characters'
        || case when topic is null then ' (it is null)' else pg_catalog.format(' (it has %s)', pg_catalog.length(topic)) end,
      detail = case when topic is null then 'It is null.' else pg_catalog.format('It has %s.', pg_catalog.length(topic)) end,
      hint = 'Name what the clients follow: room:7.';
  elsif topic ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]' then
    raise exception using
      errcode = 'DJR18',
      message = place || pg_catalog.format('a topic must have no white space and no control characters (it is %s)', pg_catalog.to_json(topic)),
      detail = pg_catalog.format('It is %s.', pg_catalog.to_json(topic)),
      hint = 'Use a colon between words: room:7.';
  end if;
end
$$;

comment on function djr._validate_topic(text, text) is
  'Raises DJR18 for a text that can be no topic. Internal.';
