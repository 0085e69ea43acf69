-- Append-only, written by the runtimes in batches. There is no primary key: nothing refers to a row of it. And no foreign
-- key: looking for the event of each row took 40,000 of its 69,000 instructions. A trigger of djr.event removes what is
-- of events that go, and who records looks for all events of a batch at once.
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

-- Made by the first migration.
alter table djr.activity drop constraint if exists activity_event;

-- Without it a publication for all tables makes every DELETE fail. It costs nothing where no publication has the table.
alter table djr.activity replica identity full;

create index if not exists activity_event on djr.activity (event_id);
-- Partial: what is written for every event does not pay for it.
create unique index if not exists activity_acknowledged on djr.activity (event_id, user_id, status)
where status in ('delivered', 'read');

comment on table djr.activity is
  'What became of an event, one row a step, written by the runtimes when djr.settings.activity is not off.';
comment on column djr.activity.event_id is 'The event; its activity goes when it is pruned.';
comment on column djr.activity.created_at is 'When the step was recorded: some 500 ms after it happened, more while the database is slow.';
comment on column djr.activity.recipients is
  'Of sent: to how many clients. Of error: for how many of them beforeSend failed. Null for other steps.';
comment on column djr.activity.status is
  'dispatched (an instance passed it to its subscribers and clients), sent (to clients), delivered and read (the page said so), error (a hook failed).';
comment on column djr.activity.user_id is
  'Whose clients, where it is known: of a user event always, of others with the setting full; who acknowledged.';
comment on column djr.activity.instance is 'The runtime that did it.';
comment on index djr.activity_event is 'The activity of one event, and its removal with the event.';
comment on index djr.activity_acknowledged is 'A user acknowledges an event once, however often the page says so.';
