-- The message tells nothing about the event that has the key: it may be another publisher's, and for another user.
create or replace function djr._refuse_key(key text, place text default '') returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR12',
    message = format('%sa key must be of one event (%s is of another one)', _refuse_key.place, to_json(_refuse_key.key)),
    detail = 'Under this key an event was published that differs in its scope, its user, its topic or its type.',
    hint = 'Put into the key what tells the events apart: their type, and the user where there are several.';
end
$$;

comment on function djr._refuse_key(text, text) is
  'Raises DJR12: another event has the key. Internal.';
