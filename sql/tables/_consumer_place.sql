-- Where a consumer stands. It has had every event that is visible in `frontier`. If the last batch did not take all that was due, there
-- is a window: the events that are visible in `upto` and not in `frontier`, of which it has had those up to `last_id`.
-- The fill factor keeps room on the page, and no column that changes is indexed: every move is a HOT update.
create table if not exists djr._consumer_place (
  last_id bigint,
  until_id bigint,
  moved_at timestamptz not null default pg_catalog.clock_timestamp(),
  overtaken_at timestamptz,
  lost bigint,
  consumer integer not null,
  frontier pg_snapshot not null,
  upto pg_snapshot,
  reason text,
  constraint _consumer_place_pkey primary key (consumer),
  constraint _consumer_place_window check (
    (upto is null) operator(pg_catalog.=) (last_id is null)
    and (upto is null) operator(pg_catalog.=) (until_id is null)
  )
)
with (fillfactor = 50);

comment on table djr._consumer_place is 'Where each consumer stands. Internal.';
comment on column djr._consumer_place.last_id is 'The last event of the window that it has had.';
comment on column djr._consumer_place.until_id is 'The last event of the window.';
comment on column djr._consumer_place.moved_at is 'When it moved last.';
comment on column djr._consumer_place.overtaken_at is 'When it first lost events; null: it has lost none.';
comment on column djr._consumer_place.lost is 'How many events it has lost, as far as that is known.';
comment on column djr._consumer_place.consumer is 'The consumer.';
comment on column djr._consumer_place.frontier is 'It has had all events that are visible in this snapshot.';
comment on column djr._consumer_place.upto is 'The window is what is visible in this snapshot and not in the frontier; null: there is none.';
comment on column djr._consumer_place.reason is 'Why it has lost events; null: it has lost none.';
