-- Makes a seal: djr1.KEY.CONTENT.SIGNATURE. The content, in base64url, is a JSON array of the topic (an array if there are several), the
-- user, the second at which the seal ends, and the snapshot in which it was made. By the snapshot a runtime knows whether djr.recheck
-- revoked the seal: it did if the snapshot does not see the transaction of djr.recheck. The signature is HMAC-SHA256 of all that stands
-- before it; the runtime checks it without a query.
-- The function is STABLE, so it has the snapshot of the calling query, which read who may hear what. A STABLE function cannot write, so
-- another function makes the key.
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
  _now timestamptz := clock_timestamp();
  _ends timestamptz;
  _seconds integer;
  _longest integer := coalesce(pg_sequence_last_value('djr.seal_longest'), 3600);
  _snapshot pg_snapshot := djr._snapshot();
  _text text;
  _signature bytea;
begin
  -- array_agg returns null for a user who is in no room.
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
      message = format('a user_id must have 1 to 255 characters (it has %s)', length(_seal.user_id)),
      detail = format('It has %s.', length(_seal.user_id)),
      hint = 'Pass the id by which your login knows the user; null seals for everyone who has the seal.';
  elsif _seal.valid is null or _seal.valid <= interval '0' or _seal.valid > interval '31 days' then
    raise exception using
      errcode = 'DJR19',
      message = format(
        'a seal must be valid for more than no time and at most 31 days (it is %s)', coalesce(_seal.valid::text, 'null')
      ),
      detail = format('It is %s.', coalesce(_seal.valid::text, 'null')),
      hint = 'An hour is the default: a page asks for a new one in time.';
  end if;

  _ends := _now + _seal.valid;
  -- Not those of the interval: a month has up to 31 days.
  _seconds := ceil(extract(epoch from _ends - _now));
  select * into _key from djr.seal_key where seal_key.newest;
  if found and _seconds > _longest and current_setting('transaction_read_only')::boolean then
    -- This transaction cannot record it, and without the record a revocation would be forgotten before the seal ends.
    _ends := _now + make_interval(secs => _longest);
  elsif not found or _seconds > _longest then
    _key := djr._seal_key(_seconds);
  end if;

  _text := json_build_array(
    case cardinality(_seal.topics)
      when 1 then to_json((select wanted.topic from unnest(_seal.topics) as wanted (topic)))
      else (select json_agg(wanted.topic) from unnest(_seal.topics) as wanted (topic))
    end,
    _seal.user_id,
    floor(extract(epoch from _ends))::bigint,
    -- A snapshot with very many transactions in progress is too long, so it is replaced by an older, shorter one. A seal that seems to
    -- have seen less is never accepted where it should not be.
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
  'Makes the seal for every djr.seal; granted by djr.grant_seal. Internal.';
