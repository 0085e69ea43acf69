-- Append-only, written by the runtimes in batches. There is no primary key: nothing refers to a row of it.
create table if not exists djr.activity (
  event_id bigint not null,
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  recipients integer,
  status text collate "C" not null,
  user_id text collate "C",
  instance text collate "C",
  constraint activity_event foreign key (event_id) references djr.event (id) on delete cascade,
  constraint activity_status check (status in ('dispatched', 'sent', 'delivered', 'read', 'error')),
  constraint activity_recipients check (recipients >= 0)
);

create index if not exists activity_event on djr.activity (event_id);

comment on table djr.activity is
  'What became of an event, one row a step, written by the runtimes when djr.settings.activity is not off.';
comment on column djr.activity.event_id is 'The event; its activity goes when it is pruned.';
comment on column djr.activity.created_at is 'When the step was recorded.';
comment on column djr.activity.recipients is 'To how many clients it was sent; null for other steps.';
comment on column djr.activity.status is
  'dispatched (an instance handed it on), sent (to clients), delivered and read (the page said so), error (a hook failed).';
comment on column djr.activity.user_id is 'Who, where it is known.';
comment on column djr.activity.instance is 'The runtime that did it.';
comment on index djr.activity_event is 'The activity of one event, and its removal with the event.';
