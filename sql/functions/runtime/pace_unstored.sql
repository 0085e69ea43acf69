create or replace function djr.pace_unstored(queueing boolean) returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _limit integer := coalesce(pg_sequence_last_value('djr.unstored_limit'), 1000);
  _next integer := case when queueing then greatest(_limit / 2, 20) else least(_limit + _limit / 8, 10000) end;
begin
  if _next <> _limit then
    perform setval('djr.unstored_limit', _next);
  end if;
  return _next;
end
$$;

comment on function djr.pace_unstored(boolean) is
  'Changes how many events with store => false may be sent in a second while delivery is sweep: true, for when commits queue for NOTIFY, halves the limit; false raises it by an eighth. Returns the new limit, 20 to 10000.';
