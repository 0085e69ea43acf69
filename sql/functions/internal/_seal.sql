-- STABLE: so its snapshot is that of the calling query, which read who may hear what. What has to write is a function of its own.
-- djr1.KEY.CONTENT.SIGNATURE: the content is a JSON array of topic (of several an array), user, the second at which it ends, and the snapshot that it was
-- made in (what djr.recheck took back is told from what it did not by that), in base64url;
-- the signature is HMAC-SHA256 of all that stands before it. The runtime checks it without a query.
create or replace function djr._seal(
  topics text[],
  user_id text,
  valid interval
) returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
  _snapshot pg_snapshot := pg_current_snapshot();
  _text text;
  _signature bytea;
begin
  -- Of a user who is in no room array_agg makes null.
  if coalesce(cardinality(_seal.topics), 0) = 0 then
    return null;
  elsif cardinality(_seal.topics) > 100 then
    raise exception using
      errcode = 'DJR18',
      message = format('a seal must be for at most 100 topics (it is for %s)', cardinality(_seal.topics)),
      hint = 'A stream hears 100 topics at most.';
  end if;
  perform djr._validate_topic(wanted.topic)
  from unnest(_seal.topics) as wanted (topic);
  if length(_seal.user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = 'a user_id must have 1 to 255 characters',
      detail = format('It has %s.', length(_seal.user_id)),
      hint = 'Pass the id by which your login knows the user; null seals for everyone who has the seal.';
  elsif _seal.valid is null or _seal.valid <= interval '0' or _seal.valid > interval '31 days' then
    raise exception using
      errcode = 'DJR19',
      message = 'a seal must be valid for more than no time and at most 31 days',
      detail = format('It is %s.', coalesce(_seal.valid::text, 'null')),
      hint = 'An hour is the default: a page asks for a new one in time.';
  end if;

  select * into _key from djr.seal_key where seal_key.newest;
  if not found or _seal.valid > _key.longest then
    _key := djr._seal_key(_seal.valid);
  end if;

  _text := json_build_array(
    case cardinality(_seal.topics)
      when 1 then to_json((select wanted.topic from unnest(_seal.topics) as wanted (topic)))
      else (select json_agg(wanted.topic) from unnest(_seal.topics) as wanted (topic))
    end,
    _seal.user_id,
    floor(extract(epoch from clock_timestamp() + _seal.valid))::bigint,
    -- Beside very many open transactions: to have seen less is always right.
    case
      when length(_snapshot::text) <= 200 then _snapshot::text
      else format('%1$s:%1$s:', pg_snapshot_xmin(_snapshot))
    end
  )::text;
  _text := 'djr1.' || _key.id || '.' || djr._base64url(convert_to(_text, 'UTF8'));
  _signature := sha256(_key.outer_key || sha256(_key.inner_key || convert_to(_text, 'UTF8')));
  return _text || '.' || djr._base64url(_signature);
end
$$;

comment on function djr._seal(text[], text, interval) is
  'What djr.seal comes to; granted by djr.grant_seal. Internal.';
