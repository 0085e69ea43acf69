create or replace function djr.record_relay_mark(
  namespace text,
  generation text,
  sequence bigint,
  epoch text,
  snapshot pg_snapshot,
  taken_at timestamptz
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
begin
  -- What another source is removing it leaves alone. The newest stay, however old they are.
  delete from djr.relay_mark
  where relay_mark.namespace = record_relay_mark.namespace
    and relay_mark.id in (
      select old.id
      from djr.relay_mark old
      where old.namespace = record_relay_mark.namespace
        -- In a query of its own: a row that OFFSET skips would be locked as well.
        and old.id <= (
          select newer.id
          from djr.relay_mark newer
          where newer.namespace = record_relay_mark.namespace
          order by newer.id desc
          offset 360
          limit 1
        )
      for update skip locked
    );

  insert into djr.relay_mark (namespace, generation, sequence, epoch, snapshot, taken_at)
  values (
    record_relay_mark.namespace,
    record_relay_mark.generation,
    record_relay_mark.sequence,
    record_relay_mark.epoch,
    record_relay_mark.snapshot,
    record_relay_mark.taken_at
  );
end
$$;

comment on function djr.record_relay_mark(text, text, bigint, text, pg_snapshot, timestamptz) is
  'Records how far the log of a relay has come: writes a row of djr.relay_mark, and deletes the rows that are older than an hour. The source that writes the log calls it every 10 s.';
