-- Unlogged, so that the report of each instance every few seconds costs no WAL and no fsync; after a crash every instance reports again.
-- The fill factor keeps room on the page, and no column that changes is indexed, so every update is a HOT update.
create unlogged table if not exists djr.instance (
  started_at timestamptz not null,
  seen_at timestamptz not null,
  events bigint not null,
  deliveries bigint not null,
  errors bigint not null,
  connections integer not null,
  lag_ms real,
  name text collate "C" not null,
  host text not null,
  version text not null,
  constraint instance_pkey primary key (name),
  constraint instance_name check (pg_catalog.octet_length(name) between 1 and 64)
)
with (fillfactor = 50);

comment on table djr.instance is
  'The runtimes that use this database: each writes a row of its own every 5 s. The row is deleted when the instance stops, or when it was not updated for a day. A standby has no rows, because the table is unlogged.';
comment on column djr.instance.started_at is 'When the runtime was started.';
comment on column djr.instance.seen_at is 'When it last reported. If that is more than 30 s ago, the instance is gone or cut off.';
comment on column djr.instance.events is 'Events that it has delivered since its start.';
comment on column djr.instance.deliveries is 'Events that it has written to clients since its start.';
comment on column djr.instance.errors is
  'Errors of hooks and subscribers, and messages on the channel that could not be read, since its start.';
comment on column djr.instance.connections is 'Streams that are open.';
comment on column djr.instance.lag_ms is
  'Milliseconds from the insert of an event to its delivery, 99th percentile of the last 5 s; null: no event came. It includes how long transactions stay open, and the difference of the two clocks.';
comment on column djr.instance.name is 'The name of the instance, as in djr.activity.instance and in the ids of its frames.';
comment on column djr.instance.host is 'The machine, and the process on it.';
comment on column djr.instance.version is 'The version of the package djr.';
