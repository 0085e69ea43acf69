create table if not exists djr.settings (
  pruned_xid xid8,
  retention interval,
  storage boolean not null default true,
  one_row boolean not null default true,
  channel text collate "C" not null default 'djr_' || pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''),
  delivery text collate "C" not null default 'auto',
  activity text collate "C" not null default 'summary',
  constraint settings_pkey primary key (one_row),
  constraint settings_one_row check (one_row),
  constraint settings_retention check (retention > interval '0'),
  -- NOTIFY's own limit is 63 bytes.
  constraint settings_channel check (pg_catalog.octet_length(channel) between 1 and 63),
  constraint settings_delivery check (delivery in ('auto', 'notify', 'sweep')),
  constraint settings_activity check (activity in ('off', 'summary', 'full'))
);

-- These columns come after those of the first migrations.
alter table djr.settings add column if not exists authorize_topic text;
alter table djr.settings add column if not exists generation text collate "C";
alter table djr.settings add column if not exists queue_limit real not null default 0.25;
alter table djr.settings add column if not exists consumer_retention interval default '7 days';
alter table djr.settings drop constraint if exists settings_consumer_retention;
alter table djr.settings add constraint settings_consumer_retention check (consumer_retention > interval '0');
alter table djr.settings add column if not exists max_bytes integer not null default 7999;
alter table djr.settings add column if not exists largest_bytes integer not null default 7999;
alter table djr.settings drop constraint if exists settings_max_bytes;
alter table djr.settings add constraint settings_max_bytes check (max_bytes between 7999 and 1048576);
alter table djr.settings drop constraint if exists settings_largest_bytes;
alter table djr.settings add constraint settings_largest_bytes check (largest_bytes between 7999 and 1048576);
alter table djr.settings drop constraint if exists settings_queue_limit;
alter table djr.settings add constraint settings_queue_limit check (queue_limit between 0.001 and 1);

insert into djr.settings default values
on conflict do nothing;

comment on table djr.settings is
  'The settings of djr in this database, in one row. Change them with djr.configure(...).';
comment on column djr.settings.pruned_xid is
  'The highest transaction of which this is true: its events were deleted (by pruning or by hand), or it truncated djr.event, or it switched storage on again. A client that resumes from before it is told to reset. Null: there is none.';
comment on column djr.settings.generation is
  'Part of djr.epoch(): a runtime sets a new value when events that it delivered are gone after a restart of PostgreSQL, as when the storage was rolled back to a snapshot. Null: that never happened.';
comment on column djr.settings.retention is
  'How long events are kept; the runtime prunes what is older. Null: for ever.';
comment on column djr.settings.consumer_retention is
  'For how long at most events past the retention are kept because a consumer has not had them, counted from their insert. Null: as long as it takes.';
comment on column djr.settings.storage is
  'Whether publish* functions store events. When false they only validate and notify: there is no resume, no replay and no sweep.';
comment on column djr.settings.one_row is
  'Always true, and the primary key: there is one row.';
comment on column djr.settings.channel is
  'The NOTIFY channel. A random name, because whoever knows it can listen: only the server role may read it.';
comment on column djr.settings.delivery is
  'How events reach the runtimes: notify (at once), sweep (publishers never notify), auto (notify, and sweep while commits queue for NOTIFY).';
comment on column djr.settings.authorize_topic is
  'A function of the app, (user_id text, topic text) returns boolean, that says who may hear a topic that a page asks for by name. Null: without a seal nobody may.';
comment on column djr.settings.queue_limit is
  'With delivery auto: the share of the NOTIFY queue, 0.001 to 1, from which publishers do not notify any more until it has emptied to half of that.';
comment on column djr.settings.max_bytes is
  'Bytes that the message of an event may have, 7999 to 1048576. NOTIFY cannot carry more than 7999: a larger event is a row and a doorbell, and a sweep delivers it.';
comment on column djr.settings.largest_bytes is
  'The highest value that max_bytes ever had. Events of that size may be stored, so the runtimes read only as many rows at a time as fit into their memory.';
comment on column djr.settings.activity is
  'What the runtimes record in djr.activity: off, summary (a row an event and instance), full (a row a user, too).';
