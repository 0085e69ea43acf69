-- Unlogged: what each instance says every few seconds costs no WAL and no fsync, and after a crash it says it again.
-- The fill factor keeps room on the page, and no column that changes is indexed: every update is a HOT one.
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
  'The runtimes that use this database, one row each, written by themselves every 5 s. Its row goes when an instance stops, or when it has not been seen for a day. Not on a standby: it is unlogged.';
comment on column djr.instance.started_at is 'When the runtime was started.';
comment on column djr.instance.seen_at is 'When it last said so: more than 30 s ago, it is gone or cut off.';
comment on column djr.instance.events is 'Events that it has delivered since its start.';
comment on column djr.instance.deliveries is 'Events that it has written to clients since its start.';
comment on column djr.instance.errors is
  'Errors of hooks and subscribers, and messages on the channel that could not be read, since its start.';
comment on column djr.instance.connections is 'Streams that are open.';
comment on column djr.instance.lag_ms is
  'From insert to being delivered, milliseconds, 99th percentile of the last 5 s; null: no event came. It includes how long transactions stay open, and the difference of the two clocks.';
comment on column djr.instance.name is 'As in djr.activity.instance, and in the ids of its frames.';
comment on column djr.instance.host is 'The machine, and the process on it.';
comment on column djr.instance.version is 'Of the package djr.';
