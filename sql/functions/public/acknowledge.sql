create or replace function djr.acknowledge(user_id text, ids bigint[], status text) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if acknowledge.status is null or acknowledge.status not in ('delivered', 'read') then
    raise exception using
      errcode = 'DJR10',
      message = format(
        'the status of an acknowledgement must be delivered or read (it is %s)',
        coalesce(to_json(acknowledge.status)::text, 'null')
      ),
      detail = format('It is %s.', coalesce(to_json(acknowledge.status)::text, 'null')),
      hint = 'The other steps are the runtimes'' to record.';
  end if;
  return query
  select acknowledged.id
  from unnest(
    acknowledge.ids,
    djr._acknowledge(
      null,
      array_fill(acknowledge.user_id, array[coalesce(cardinality(acknowledge.ids), 0)]),
      acknowledge.ids,
      array_fill(acknowledge.status, array[coalesce(cardinality(acknowledge.ids), 0)])
    )
  ) acknowledged (id, own)
  where acknowledged.own;
end
$$;

comment on function djr.acknowledge(text, bigint[], text) is
  'Records that a user''s page got (delivered) or showed (read) events of that user, and returns the ids that it accepted: events of other users, public events and unknown ids are left out. A second call changes nothing; with activity off nothing is stored. DJR10 for another status.';
