-- Append-only, written by the runtimes in batches. There is no primary key, because nothing refers to a row, and no foreign key,
-- because looking up the event of each row took 40,000 of the 69,000 instructions of an insert. Instead a trigger of djr.event deletes
-- the activity of deleted events, and djr.record_activity looks up all events of a batch at once.
create table if not exists djr.activity (
  event_id bigint not null,
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  recipients integer,
  status text collate "C" not null,
  user_id text collate "C",
  instance text collate "C",
  constraint activity_status check (status in ('dispatched', 'sent', 'delivered', 'read', 'error')),
  constraint activity_recipients check (recipients >= 0)
);

-- The first migration made this index.
alter table djr.activity drop constraint if exists activity_event;

-- Without a replica identity a publication for all tables makes every DELETE fail. It costs nothing if no publication has the table.
alter table djr.activity replica identity full;

create index if not exists activity_event on djr.activity (event_id);
-- Partial, so that the rows that are written for every event cost no entry in it.
create unique index if not exists activity_acknowledged on djr.activity (event_id, user_id, status)
where status in ('delivered', 'read');

comment on table djr.activity is
  'What became of an event, one row a step, written by the runtimes when djr.settings.activity is not off.';
comment on column djr.activity.event_id is 'The event; its activity is deleted when the event is pruned.';
comment on column djr.activity.created_at is 'When the step was recorded: some 500 ms after it happened, more while the database is slow.';
comment on column djr.activity.recipients is
  'For sent: to how many clients. For error: for how many clients beforeSend failed. Null for other steps.';
comment on column djr.activity.status is
  'dispatched (an instance passed it to its subscribers and clients), sent (to clients), delivered and read (the page said so), error (a hook failed).';
comment on column djr.activity.user_id is
  'The user whose clients these are: always for a user event, with the setting full also for others. For delivered and read the user who acknowledged.';
comment on column djr.activity.instance is 'The runtime that recorded the step.';
comment on index djr.activity_event is 'The activity of one event, and its removal with the event.';
comment on index djr.activity_acknowledged is 'A user acknowledges an event once, however often the page acknowledges it.';
