--! Previous: sha1:92e6cfd8444ce8d491ab0e4238cef87ad2787c9f
--! Hash: sha1:73278b87cc80e921794dc986e6920c4055dc8080

-- Everything again: each file of sql/ can be applied to a database that has it.
--! Included index.sql
-- The schema from nothing, in the order in which objects need one another.
-- `npm run sql:commit` turns it into a migration; sql/README.md says how.

--! Included schema/djr.sql
-- Not `create schema if not exists`, which needs CREATE on the database even if an administrator has already made the schema.
do $$
begin
  if pg_catalog.to_regnamespace('djr') is null then
    create schema djr;
  end if;
end
$$;

comment on schema djr is
  'Realtime events: djr.publish(...) in SQL, a DOM event in the browser. See docs/sql.md.';
--! EndIncluded schema/djr.sql
--! Included schema/domains.sql
-- The rules that concern one column. They are domains and not CHECKs of the table, because PostgreSQL prepares a table's CHECKs anew for
-- every INSERT, which took half the time of a publish, and a domain's CHECKs once a session.
-- Collation "C" compares bytes: that is all that equality needs, and it makes the cheapest index.
do $$
begin
  if pg_catalog.to_regtype('djr.event_type') is null then
    create domain djr.event_type as text collate "C"
      constraint event_type_length check (pg_catalog.length(value) between 1 and 200)
      -- No white space and no control characters, as Unicode defines them: the database's locale plays no part.
      constraint event_type_characters check (
        value !~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
      );

    create domain djr.event_scope as text collate "C";

    create domain djr.event_user as text collate "C"
      constraint event_user_length check (pg_catalog.length(value) between 1 and 255);

    create domain djr.event_key as text collate "C"
      constraint event_key_length check (pg_catalog.length(value) between 1 and 255);

    create domain djr.event_detail as jsonb
      constraint event_detail_object check (pg_catalog.jsonb_typeof(value) = 'object');
  end if;

  -- The stream and the browser client use these types themselves. The first version reserved two of them only, so stored events may have
  -- one of the others: `not valid` lets them stay, and reads no table.
  if not exists (
    select
    from pg_catalog.pg_constraint
    where contypid = pg_catalog.to_regtype('djr.event_type')
      and conname = 'event_type_reserved'
      and pg_catalog.pg_get_constraintdef(oid) ~ 'presence'
  ) then
    alter domain djr.event_type drop constraint if exists event_type_reserved;
    alter domain djr.event_type add constraint event_type_reserved check (
      value !~ '^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)$|^djr:'
    ) not valid;
  end if;
end
$$;

-- In a database of the first migrations this rule has no topics. Every existing row satisfies the wider rule, so none is checked.
do $$
begin
  if not exists (
    select
    from pg_catalog.pg_constraint
    where pg_constraint.contypid operator(pg_catalog.=) 'djr.event_scope'::pg_catalog.regtype
      and pg_catalog.strpos(pg_catalog.pg_get_constraintdef(pg_constraint.oid), 'control') operator(pg_catalog.>) 0
  ) then
    alter domain djr.event_scope drop constraint if exists event_scope_known;
    alter domain djr.event_scope
      add constraint event_scope_known check (value in ('user', 'public', 'topic', 'system', 'control')) not valid;
  end if;
end
$$;

-- This domain is created without its rules: adding a column whose type has rules would rewrite the whole table. tables/event.sql adds
-- the rules after the column.
do $$
begin
  if pg_catalog.to_regtype('djr.event_topic') is null then
    create domain djr.event_topic as text collate "C";
  end if;
end
$$;

comment on domain djr.event_type is 'What happened: 1 to 200 characters, no white space, no control characters, none of connected, disconnected, reset, heartbeat, state, error, left, refused, presence, and not beginning with djr:.';
comment on domain djr.event_scope is 'user, public, topic or system; control: an order of djr.disconnect or djr.recheck to the runtimes.';
comment on domain djr.event_topic is 'A topic: 1 to 255 characters, no white space, no control characters. Topics are compared by their bytes.';
comment on domain djr.event_user is 'A user''s id as the app has it: 1 to 255 characters.';
comment on domain djr.event_key is 'An idempotency key: 1 to 255 characters.';
comment on domain djr.event_detail is 'A JSON object.';
--! EndIncluded schema/domains.sql

-- In the order in which a publisher takes its locks: an upgrade that waits for the second with the first in hand would
-- wait for a publisher that waits for it.
--! Included tables/event.sql
-- The columns of fixed width come first, so that no row has padding between them.
-- A column's domain says what the column may hold. The insert trigger reads every row anyway, so it checks whether scope, user_id and
-- topic fit together.
create table if not exists djr.event (
  id bigint generated always as identity,
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  replay_of bigint,
  scope djr.event_scope not null,
  type djr.event_type not null,
  user_id djr.event_user,
  key djr.event_key,
  detail djr.event_detail not null default '{}',
  private_data jsonb,
  constraint event_pkey primary key (id)
);

-- This column comes after those of the first migrations, in a new database as well as in an upgraded one.
alter table djr.event add column if not exists topic djr.event_topic;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_constraint
    where pg_constraint.contypid = 'djr.event_topic'::pg_catalog.regtype
  ) then
    -- Not valid: every existing row has null in this column, so none needs to be checked.
    alter domain djr.event_topic
      add constraint event_topic_length check (pg_catalog.length(value) between 1 and 255) not valid;
    alter domain djr.event_topic
      add constraint event_topic_characters check (
        value operator(pg_catalog.!~) E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
      ) not valid;
  end if;
end
$$;

-- Sweeps and resumes read the events that are new since a snapshot by this index.
create index if not exists event_xid on djr.event (xid, id);
create index if not exists event_user on djr.event (user_id, id) where user_id is not null;
create index if not exists event_type on djr.event (type, id);
create index if not exists event_created_at on djr.event (created_at);
create unique index if not exists event_key on djr.event (key) where key is not null;
-- Partial, so that an app without topics pays nothing for it.
create index if not exists event_topic on djr.event (topic, id) where topic is not null;
-- Partial, so that an event that is no replay costs no entry in it.
create index if not exists event_replay_of on djr.event (replay_of, id) where replay_of is not null;

comment on table djr.event is
  'One row an event, never updated. An INSERT publishes: the trigger checks the size and notifies.';
comment on column djr.event.id is
  'The number that publish* returned, and the first part of the id that a browser sees.';
comment on column djr.event.xid is
  'The transaction that published it. By this column a sweep finds what is new since a snapshot, in whatever order transactions commit.';
comment on column djr.event.created_at is
  'When it was inserted (not when its transaction began or committed).';
comment on column djr.event.replay_of is
  'The event that this one sends again; null for an original; 0 for an order of djr itself (scope control). No publisher may set this column.';
comment on column djr.event.scope is
  'Who gets it: user (the one user_id names), public (every client), topic (the clients that may hear the topic), system (backend subscribers only), control (the runtimes, which carry out djr.disconnect and djr.recheck).';
comment on column djr.event.type is
  'What happened, in the app''s words. In the browser it is the DOM event djr:TYPE. 1 to 200 characters, no white space.';
comment on column djr.event.user_id is
  'The user of a user event, as the app identifies users; the user whom a system event is about, if there is one.';
comment on column djr.event.topic is
  'The topic of a topic event: 1 to 255 characters, no white space. Null for every other scope.';
comment on column djr.event.key is
  'Idempotency key: a second publish under the same key stores and sends nothing, and one that differs in user, topic, scope or type is refused (DJR12).';
comment on column djr.event.detail is
  'A JSON object, sent to the client. With the envelope at most 7,999 bytes, or as many as the setting max_bytes allows.';
comment on column djr.event.private_data is
  'JSON for the backend only. It never leaves the database through NOTIFY or a client''s stream.';
comment on index djr.event_xid is 'What is new since a snapshot: for sweeps and resumes.';
comment on index djr.event_user is 'One user''s events, newest or oldest first.';
comment on index djr.event_topic is 'Events of a topic, newest or oldest first.';
comment on index djr.event_type is 'Events of a type, newest or oldest first.';
comment on index djr.event_created_at is 'Events by time: for pruning and the date range of the admin.';
comment on index djr.event_key is 'One event a key.';
comment on index djr.event_replay_of is 'The replays of an event.';
--! EndIncluded tables/event.sql
--! Included tables/settings.sql
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
--! EndIncluded tables/settings.sql
--! Included tables/activity.sql
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
--! EndIncluded tables/activity.sql
--! Included tables/delivery_mode.sql
-- A sequence, because its last_value is not read as of a snapshot: a publisher in a repeatable-read transaction that began an hour ago
-- sees the current mode.
create sequence if not exists djr.delivery_mode as integer minvalue 1 maxvalue 2 start 1;

comment on sequence djr.delivery_mode is
  'How events reach the runtimes now: last_value 1, publishers notify; 2, they do not and the runtimes sweep. Set by djr.set_delivery_mode and djr.configure.';
--! EndIncluded tables/delivery_mode.sql
--! Included tables/unstored_place.sql
-- One number holds the tenth of a second since 1970, times 2^20, and how many events came in it. nextval counts on without sessions
-- having to wait for each other.
create sequence if not exists djr.unstored_place;

comment on sequence djr.unstored_place is
  'How many events with store => false came in this tenth of a second, while delivery is sweep (djr._passes).';
--! EndIncluded tables/unstored_place.sql
--! Included tables/unstored_limit.sql
create sequence if not exists djr.unstored_limit as integer minvalue 20 maxvalue 10000 start 1000;

comment on sequence djr.unstored_limit is
  'Events with store => false that may pass in a second while delivery is sweep: its last_value, 1000 at first. The runtimes lower it while commits queue for NOTIFY, and raise it while they do not (djr.pace_unstored).';
--! EndIncluded tables/unstored_limit.sql
--! Included tables/unstored_dropped.sql
create sequence if not exists djr.unstored_dropped;

comment on sequence djr.unstored_dropped is
  'How many events with store => false were dropped, as too many came while delivery was sweep: its last_value, null for none.';
--! EndIncluded tables/unstored_dropped.sql
--! Included tables/seal_key.sql
-- A table of its own instead of columns of djr.settings: djr.configure returns the settings, and a key must not appear on a screen.
create table if not exists djr.seal_key (
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  -- The key for HMAC-SHA256 in both padded forms, so that no seal has to pad it again.
  inner_key bytea not null,
  outer_key bytea not null,
  id text collate "C" not null,
  newest boolean not null default true,
  constraint seal_key_pkey primary key (id),
  constraint seal_key_length check (
    pg_catalog.octet_length(inner_key) operator(pg_catalog.=) 64
    and pg_catalog.octet_length(outer_key) operator(pg_catalog.=) 64
  )
);

create unique index if not exists seal_key_newest on djr.seal_key (newest) where newest;

comment on table djr.seal_key is
  'The keys that seals are signed with: the newest one, and after a rotation the previous one. djr.configure(rotate_seal_key => true) makes a new one.';
comment on column djr.seal_key.created_at is 'When it was made.';
comment on column djr.seal_key.inner_key is 'The key, padded and combined with the inner pad of HMAC (RFC 2104).';
comment on column djr.seal_key.outer_key is 'The same with the outer pad.';
comment on column djr.seal_key.id is 'Names it in a seal.';
comment on column djr.seal_key.newest is 'Whether new seals are signed with it.';
comment on index djr.seal_key_newest is 'Only one key is the newest.';
--! EndIncluded tables/seal_key.sql
--! Included tables/seal_longest.sql
-- A sequence, because its value stays when the transaction that set it is rolled back. A page has its seal by then: some libraries roll
-- back whatever only reads.
create sequence if not exists djr.seal_longest as integer minvalue 3600 start 3600;

comment on sequence djr.seal_longest is
  'For how many seconds the longest seal is valid that was ever made: its last_value, null for an hour. Revocations are kept for as long.';
--! EndIncluded tables/seal_longest.sql
--! Included tables/revocation.sql
-- Append-only: with a unique row for each user and topic, two transactions that revoke the same would wait for each other.
create table if not exists djr.revocation (
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  user_id text collate "C",
  topic text collate "C"
);

-- The table has no key, and a publication for all tables needs a replica identity.
alter table djr.revocation replica identity full;

create index if not exists revocation_created_at on djr.revocation (created_at);

comment on table djr.revocation is
  'What djr.recheck revoked: for this user and topic, seals whose snapshot does not see this transaction no longer count. A row is deleted once every seal that is older has ended.';
comment on column djr.revocation.xid is 'The transaction that called djr.recheck.';
comment on column djr.revocation.created_at is 'When it called djr.recheck.';
comment on column djr.revocation.user_id is 'Whose seals; null: everyone''s.';
comment on column djr.revocation.topic is 'Of which topic; null: of every topic.';
comment on index djr.revocation_created_at is 'Revocations by time: for deleting old ones, and for a runtime that starts.';
--! EndIncluded tables/revocation.sql
--! Included tables/instance.sql
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
--! EndIncluded tables/instance.sql
--! Included tables/presence.sql
-- Unlogged, as djr.instance is: after a crash each instance writes its rows again.
create unlogged table if not exists djr.presence (
  since timestamptz not null,
  streams integer not null,
  instance text collate "C" not null,
  topic text collate "C" not null,
  user_id text collate "C" not null,
  constraint presence_pkey primary key (topic, user_id, instance),
  constraint presence_streams check (streams operator(pg_catalog.>) 0)
)
with (fillfactor = 70);

create index if not exists presence_instance on djr.presence (instance);

comment on table djr.presence is
  'Which users have streams on which instance, when the option presence is on; written by the instances in batches. djr.online reads it.';
comment on column djr.presence.since is 'When the first of these streams was opened.';
comment on column djr.presence.streams is 'How many streams.';
comment on column djr.presence.instance is 'The runtime that has the streams; if it has no row in djr.instance, it is gone.';
comment on column djr.presence.topic is 'The topic that the streams hear; empty: the row counts all streams of this user.';
comment on column djr.presence.user_id is 'The user.';
comment on index djr.presence_instance is 'The rows of one instance, to delete them.';
--! EndIncluded tables/presence.sql
--! Included tables/relay_mark.sql
create table if not exists djr.relay_mark (
  id bigint generated always as identity,
  taken_at timestamptz not null,
  snapshot pg_snapshot not null,
  sequence bigint not null,
  namespace text collate "C" not null,
  generation text collate "C" not null,
  epoch text collate "C" not null,
  constraint relay_mark_pkey primary key (namespace, id),
  constraint relay_mark_sequence check (sequence operator(pg_catalog.>=) 0)
);

comment on table djr.relay_mark is
  'How far the log of a relay had come, a row for each 10 s of the last hour. If the relay''s engine loses what it had acknowledged, a new generation of the log begins at one of these rows.';
comment on column djr.relay_mark.id is 'The newest has the highest.';
comment on column djr.relay_mark.taken_at is 'When the snapshot was taken.';
comment on column djr.relay_mark.snapshot is 'All events that are visible in it were in the log.';
comment on column djr.relay_mark.sequence is 'The sequence of the log up to which the engine had acknowledged it; 0: the generation begins.';
comment on column djr.relay_mark.namespace is 'Which relay, as the runtime''s option says it.';
comment on column djr.relay_mark.generation is 'Which log.';
comment on column djr.relay_mark.epoch is 'Which history of the database, as frames'' ids say it.';
--! EndIncluded tables/relay_mark.sql
--! Included tables/_grant.sql
-- The record of grant_publish, grant_consume, grant_seal and grant_server. It has no rows: a role that was granted a capability has
-- SELECT on the column of that name. Default privileges and `grant … on all tables` never reach a column, so no role gets this right by
-- accident. PostgreSQL keeps the record true: it follows a role that is renamed, ends with one that is dropped, and a dump, even of the
-- schema alone, names the role and not its oid.
create table if not exists djr._grant (
  publish boolean,
  server boolean
);

alter table djr._grant add column if not exists seal boolean;
alter table djr._grant add column if not exists consume boolean;
-- A publication for all tables needs a replica identity on every table.
alter table djr._grant replica identity full;

comment on table djr._grant is
  'Which role was granted what, as privileges on its columns; it never has a row. Written by djr.grant_publish, djr.grant_consume, djr.grant_seal, djr.grant_server and their revoke_*, read through djr.grantee. Internal.';
comment on column djr._grant.publish is 'A role that may select it was granted djr.grant_publish.';
comment on column djr._grant.server is 'A role that may select it was granted djr.grant_server.';
comment on column djr._grant.consume is 'A role that may select it was granted djr.grant_consume.';
comment on column djr._grant.seal is 'A role that may select it was granted djr.grant_seal.';
--! EndIncluded tables/_grant.sql
--! Included tables/_consumer.sql
-- What a consumer is; where it stands is a row of djr._consumer_place. A transaction that consumes locks the row here, which changes
-- only when the consumer is reset.
create table if not exists djr._consumer (
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  id integer generated always as identity,
  -- The xmin that PostgreSQL gave the row when it was written. A copy by rows (a dump, logical replication) has a different xmin; a copy
  -- by pages (pg_upgrade, a standby, a backup) has the same. So a migration must never rewrite this table.
  mark xid,
  secret uuid not null default pg_catalog.gen_random_uuid(),
  name text collate "C" not null,
  types text[],
  topics text[],
  constraint _consumer_pkey primary key (id),
  constraint _consumer_name unique (name)
);

comment on table djr._consumer is
  'The consumers: name and filters. Written by djr.create_consumer, djr.drop_consumer and djr.reset_consumer, read through djr.consumer. Internal.';
comment on column djr._consumer.created_at is 'When it was created.';
comment on column djr._consumer.id is 'Its number in the other tables.';
comment on column djr._consumer.mark is
  'The transaction that wrote this row. If the xmin of the row is another one, the row was restored from a dump, and its place means nothing in this database.';
comment on column djr._consumer.secret is
  'Makes the keys of the advisory locks that its callers take with mode share, so that no other role can take one of them first.';
comment on column djr._consumer.name is 'Its name.';
comment on column djr._consumer.types is 'The types that it gets; null: every type.';
comment on column djr._consumer.topics is 'The topics that it gets; null: every topic, and events without a topic.';
--! EndIncluded tables/_consumer.sql
--! Included tables/_consumer_place.sql
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
--! EndIncluded tables/_consumer_place.sql
--! Included tables/_consumer_done.sql
-- Events that a consumer has had out of order, because several callers share it. A row is deleted once the place is past its event.
create table if not exists djr._consumer_done (
  event_id bigint not null,
  xid xid8 not null,
  consumer integer not null,
  constraint _consumer_done_pkey primary key (consumer, event_id)
);

comment on table djr._consumer_done is 'Events beyond its place that a consumer has had, with mode share. Internal.';
comment on column djr._consumer_done.event_id is 'The event.';
comment on column djr._consumer_done.xid is 'The transaction that published it.';
comment on column djr._consumer_done.consumer is 'The consumer.';
--! EndIncluded tables/_consumer_done.sql
--! Included views/event_status.sql
create or replace view djr.event_status as
select
  event.id,
  event.type,
  event.scope,
  event.user_id,
  event.detail,
  event.created_at,
  event.replay_of,
  coalesce(activity.status, 'new') as status,
  coalesce(activity.recipients, 0) as recipients,
  coalesce(activity.errors, 0) as errors
from djr.event
left join lateral (
  select
    (array['dispatched', 'error', 'sent', 'delivered', 'read'])[
      max(pg_catalog.array_position(array['dispatched', 'error', 'sent', 'delivered', 'read'], activity.status::text))
    ] as status,
    sum(activity.recipients) filter (where activity.status = 'sent') as recipients,
    sum(coalesce(activity.recipients, 1)) filter (where activity.status = 'error') as errors
  from djr.activity
  where activity.event_id = event.id
) activity on true;

comment on view djr.event_status is
  'Each event with how far it got. Only what the runtimes recorded is known: with activity off, every event stays new.';
comment on column djr.event_status.id is 'The event''s id.';
comment on column djr.event_status.type is 'Its type.';
comment on column djr.event_status.scope is 'Its scope.';
comment on column djr.event_status.user_id is 'Its user.';
comment on column djr.event_status.detail is 'Its detail.';
comment on column djr.event_status.created_at is 'When it was published.';
comment on column djr.event_status.replay_of is 'The event that it sends again.';
comment on column djr.event_status.status is
  'The furthest of: new, dispatched, error, sent, delivered, read. An event that failed for one client and reached another is sent.';
comment on column djr.event_status.recipients is 'To how many clients it was sent, by all instances together.';
comment on column djr.event_status.errors is 'How often a hook failed for it: onReceive counts once an instance, beforeSend once a client.';
--! EndIncluded views/event_status.sql
--! Included views/online.sql
create or replace view djr.online as
select
  nullif(presence.topic, '') as topic,
  presence.user_id,
  pg_catalog.sum(presence.streams)::integer as streams,
  pg_catalog.min(presence.since) as since
from djr.presence
join djr.instance on instance.name operator(pg_catalog.=) presence.instance
where instance.seen_at operator(pg_catalog.>) (pg_catalog.clock_timestamp() operator(pg_catalog.-) interval '30 seconds')
group by presence.topic, presence.user_id;

comment on view djr.online is
  'Which users hear a topic now; rows whose topic is null say which users are connected at all. It has rows when the runtime''s option presence is on. The users of an instance that was killed disappear 30 s later.';
comment on column djr.online.topic is 'The topic; null: the row counts all streams of the user.';
comment on column djr.online.user_id is 'The user, who has one row however many tabs and instances there are.';
comment on column djr.online.streams is 'How many streams, on all instances together.';
comment on column djr.online.since is 'When the first of these streams was opened.';
--! EndIncluded views/online.sql
--! Included views/grantee.sql
create or replace view djr.grantee as
select
  case
    when entry.grantee operator(pg_catalog.=) 0 then 'public'
    else pg_catalog.pg_get_userbyid(entry.grantee)
  end as role,
  mark.attname::pg_catalog.text as capability
from pg_catalog.pg_attribute mark
cross join pg_catalog.aclexplode(mark.attacl) entry
where mark.attrelid operator(pg_catalog.=) 'djr._grant'::pg_catalog.regclass
  and mark.attname operator(pg_catalog.=) any (array['publish', 'consume', 'seal', 'server']::pg_catalog.name[])
  and entry.privilege_type operator(pg_catalog.=) 'SELECT';

comment on view djr.grantee is
  'The roles that were granted a capability of djr: publish (djr.grant_publish), consume (djr.grant_consume), seal (djr.grant_seal) or server (djr.grant_server). Each migration gives exactly these their rights, and takes every other right to an object of djr away.';
comment on column djr.grantee.role is 'The role''s name; public is every role there is.';
comment on column djr.grantee.capability is 'publish, consume, seal or server.';
--! EndIncluded views/grantee.sql
--! Included views/consumer.sql
-- The filters are written out instead of calling djr._is_for: a function in a view runs with the rights of the role that reads the view.
create or replace view djr.consumer as
select
  _consumer.name,
  _consumer.types,
  _consumer.topics,
  _consumer.created_at,
  place.moved_at,
  due.events as lag,
  pg_catalog.clock_timestamp() operator(pg_catalog.-) due.oldest as age,
  case
    when _consumer.mark operator(pg_catalog.=) _consumer.xmin then place.reason
    else 'it was restored from a dump'
  end as overtaken,
  place.overtaken_at,
  place.lost
from djr._consumer
join djr._consumer_place place on place.consumer operator(pg_catalog.=) _consumer.id
cross join lateral (
  select
    pg_catalog.count(*) as events,
    pg_catalog.min(awaited.created_at) as oldest
  from (
    select event.created_at
    from (
      select *
      from djr.event
      where event.xid operator(pg_catalog.=) any (array(select pg_catalog.pg_snapshot_xip(place.frontier)))
      union all
      select *
      from djr.event
      where event.xid operator(pg_catalog.>=) pg_catalog.pg_snapshot_xmax(place.frontier)
    ) event
    where (
        place.upto is null
        or event.id operator(pg_catalog.>) place.last_id
        or not pg_catalog.pg_visible_in_snapshot(event.xid, place.upto)
      )
      and event.scope operator(pg_catalog.<>) 'control'
      and (_consumer.types is null or event.type operator(pg_catalog.=) any (_consumer.types))
      and (_consumer.topics is null or event.topic operator(pg_catalog.=) any (_consumer.topics))
      and not exists (
        select
        from djr._consumer_done done
        where done.consumer operator(pg_catalog.=) _consumer.id
          and done.event_id operator(pg_catalog.=) event.id
      )
    limit 100000
  ) awaited
) due;

comment on view djr.consumer is
  'The consumers, and how far each is behind. Made by djr.create_consumer.';
comment on column djr.consumer.name is 'The name.';
comment on column djr.consumer.types is 'The types that it gets; null: every type.';
comment on column djr.consumer.topics is 'The topics that it gets; null: every topic, and events without a topic.';
comment on column djr.consumer.created_at is 'When it was created.';
comment on column djr.consumer.moved_at is 'When its place moved last.';
comment on column djr.consumer.lag is 'How many events it has yet to get; counted up to 100,000.';
comment on column djr.consumer.age is 'How long ago the oldest of them was inserted; null: it has had all events.';
comment on column djr.consumer.overtaken is 'Why it stands still until djr.reset_consumer is called; null: it does not stand still.';
comment on column djr.consumer.overtaken_at is 'When it first lost events; null: it has lost none.';
comment on column djr.consumer.lost is 'How many events it has lost, as far as that is known.';
--! EndIncluded views/consumer.sql

--! Included functions/internal/_heal_settings.sql
-- A dump of the schema alone (pg_dump -s, structure.sql) has the table of the settings without its row. Callers call this only after
-- they did not find the row, so it costs nothing otherwise.
create or replace function djr._heal_settings() returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into djr.settings default values
  on conflict do nothing;
end
$$;

comment on function djr._heal_settings() is
  'Puts the row of djr.settings back, with every setting at its default, where it is missing. Internal.';
--! EndIncluded functions/internal/_heal_settings.sql
--! Included functions/runtime/channel.sql
create or replace function djr.channel() returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _channel text := (select settings.channel from djr.settings);
begin
  if _channel is null then
    perform djr._heal_settings();
    _channel := (select settings.channel from djr.settings);
  end if;
  return _channel;
end
$$;

comment on function djr.channel() is
  'The NOTIFY channel, for the server role only. If the row of djr.settings is missing, as after a restore of the schema alone, it is created again.';
--! EndIncluded functions/runtime/channel.sql
--! Included functions/internal/_encode.sql
-- Plain SQL without SET, so that the planner inlines it into its callers: an event is encoded once, without a call.
-- The first migrations made it without a topic.
drop function if exists djr._encode(bigint, xid8, text, text, text, timestamptz, jsonb);

create or replace function djr._encode(
  id bigint,
  xid xid8,
  scope text,
  user_id text,
  type text,
  created_at timestamptz,
  detail jsonb,
  topic text
) returns text
language sql
stable
as $$
  select case
    when topic is null then pg_catalog.json_build_array(
      id,
      xid::pg_catalog.text,
      scope,
      user_id,
      type,
      pg_catalog.trunc(extract(epoch from created_at) operator(pg_catalog.*) 1000)
    )
    else pg_catalog.json_build_array(
      id,
      xid::pg_catalog.text,
      scope,
      user_id,
      type,
      pg_catalog.trunc(extract(epoch from created_at) operator(pg_catalog.*) 1000),
      topic
    )
  end::pg_catalog.text operator(pg_catalog.||) E'\t' operator(pg_catalog.||) detail::pg_catalog.text
$$;

comment on function djr._encode(bigint, xid8, text, text, text, timestamptz, jsonb, text) is
  'An event as a line of a NOTIFY message: a JSON array of id, xid, scope, user_id, type, milliseconds and, of a topic event, the topic; then a tab and the detail. JSON holds neither a raw tab nor a line feed. Internal.';
--! EndIncluded functions/internal/_encode.sql
--! Included functions/internal/_refuse_size.sql
-- The first migrations made it with one limit only.
drop function if exists djr._refuse_size(text, integer);

create or replace function djr._refuse_size(
  type text,
  size integer,
  most integer,
  stored boolean
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR05',
    message = format(
      'event "%s" is too large: %sits message must have at most %s bytes (it has %s)',
      _refuse_size.type, case when not stored then 'without a row ' else '' end, most, size
    ),
    detail = format('Its message is %s bytes; the limit is %s bytes.', size, most),
    hint = case
      when not stored then 'NOTIFY alone carries no more. Store the event, or send a reference, an id for example.'
      when most < 1048576
        then 'Send a reference, an id for example, and let the client fetch the rest; or raise the limit, to 1 MiB at most: select djr.configure(max_bytes => 262144).'
      else 'Send a reference, an id for example, and let the client fetch the rest.'
    end;
end
$$;

comment on function djr._refuse_size(text, integer, integer, boolean) is
  'Raises DJR05: the message of an event is too large. Internal.';
--! EndIncluded functions/internal/_refuse_size.sql
--! Included functions/internal/_validate_topic.sql
create or replace function djr._validate_topic(
  topic text,
  place text default ''
) returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if topic is null or pg_catalog.length(topic) not between 1 and 255 then
    raise exception using
      errcode = 'DJR18',
      message = place || 'a topic must have 1 to 255 characters'
        || case when topic is null then ' (it is null)' else pg_catalog.format(' (it has %s)', pg_catalog.length(topic)) end,
      detail = case when topic is null then 'It is null.' else pg_catalog.format('It has %s.', pg_catalog.length(topic)) end,
      hint = 'Name what the clients follow: room:7.';
  elsif topic ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]' then
    raise exception using
      errcode = 'DJR18',
      message = place || pg_catalog.format('a topic must have no white space and no control characters (it is %s)', pg_catalog.to_json(topic)),
      detail = pg_catalog.format('It is %s.', pg_catalog.to_json(topic)),
      hint = 'Use a colon between words: room:7.';
  end if;
end
$$;

comment on function djr._validate_topic(text, text) is
  'Raises DJR18 for a text that can be no topic. Internal.';
--! EndIncluded functions/internal/_validate_topic.sql
--! Included functions/internal/_validate.sql
-- The rules of an event, each with an SQLSTATE and a message of its own. The domains of djr.event have the same rules for a plain INSERT,
-- and djr._is_valid has them as one quick condition: change all three together (test/sql/publish.test.ts compares them). `place` is put
-- before the message and says which of several events is meant.
-- The first migrations made it without a topic.
drop function if exists djr._validate(text, text, text, jsonb, text, text);

create or replace function djr._validate(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  key text,
  place text,
  topic text
) returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if type is null or pg_catalog.length(type) not between 1 and 200 then
    raise exception using
      errcode = 'DJR01',
      message = place || 'the type of an event must have 1 to 200 characters'
        || case when type is null then ' (it is null)' else pg_catalog.format(' (it has %s)', pg_catalog.length(type)) end,
      detail = case when type is null then 'It is null.' else pg_catalog.format('It has %s.', pg_catalog.length(type)) end,
      hint = 'Name what happened in a word or two: order_paid.';
  elsif type ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]' then
    raise exception using
      errcode = 'DJR01',
      message = place || pg_catalog.format('the type of an event must have no white space and no control characters (it is %s)', pg_catalog.to_json(type)),
      detail = pg_catalog.format('It is %s.', pg_catalog.to_json(type)),
      hint = 'Use an underscore or a colon between words: order_paid.';
  elsif type ~ '^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)$|^djr:' then
    raise exception using
      errcode = 'DJR01',
      message = place || pg_catalog.format('the type of an event must not be one that the stream and the client use themselves (it is "%s")', type),
      detail = 'They are connected, disconnected, reset, heartbeat, state, error, left, refused, presence, and what begins with djr:.',
      hint = 'Choose another word.';
  end if;

  if scope = 'user' then
    if user_id is null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope user must have a user_id (it is null)',
        detail = 'The user_id is null.',
        hint = 'Is the user''s id null here? For every client publish with djr.publish_public, for the backend with djr.publish_system.';
    end if;
  elsif scope = 'public' then
    if user_id is not null then
      raise exception using
        errcode = 'DJR02',
        message = place || pg_catalog.format('an event of scope public must have no user_id (it is %s)', pg_catalog.to_json(user_id)),
        detail = pg_catalog.format('The user_id is %s.', pg_catalog.to_json(user_id)),
        hint = 'Everyone would get it. For one user publish with djr.publish.';
    end if;
  elsif scope = 'topic' then
    if topic is null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope topic must have a topic (it is null)',
        detail = 'The topic is null.',
        hint = 'Publish it with djr.publish_topic, or name the topic: room:7.';
    elsif user_id is not null then
      raise exception using
        errcode = 'DJR02',
        message = place || pg_catalog.format('an event of scope topic must have no user_id (it is %s)', pg_catalog.to_json(user_id)),
        detail = pg_catalog.format('The user_id is %s.', pg_catalog.to_json(user_id)),
        hint = 'Everyone who may hear the topic would get it. For one user publish with djr.publish.';
    end if;
  elsif scope is distinct from 'system' then
    raise exception using
      errcode = 'DJR02',
      message = place || pg_catalog.format(
        'the scope of an event must be user, public, topic or system (it is %s)', coalesce(pg_catalog.to_json(scope)::text, 'null')
      ),
      detail = pg_catalog.format('It is %s.', coalesce(pg_catalog.to_json(scope)::text, 'null')),
      hint = 'user: the one whom user_id names. public: every client. topic: who may hear the topic. system: backend subscribers only.';
  end if;

  if topic is not null then
    if scope is distinct from 'topic' then
      raise exception using
        errcode = 'DJR02',
        message = place || pg_catalog.format('an event of scope %s must have no topic (it is %s)', scope, pg_catalog.to_json(topic)),
        detail = pg_catalog.format('The topic is %s.', pg_catalog.to_json(topic)),
        hint = 'An event with a topic is of scope topic: publish it with djr.publish_topic.';
    end if;
    perform djr._validate_topic(topic, place);
  end if;

  if pg_catalog.length(user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = place || pg_catalog.format('a user_id must have 1 to 255 characters (it has %s)', pg_catalog.length(user_id)),
      detail = pg_catalog.format('It has %s.', pg_catalog.length(user_id)),
      hint = 'Pass the id by which your login knows the user.';
  end if;

  if pg_catalog.jsonb_typeof(detail) is distinct from 'object' then
    raise exception using
      errcode = 'DJR04',
      message = place || 'the detail of an event must be a JSON object'
        || case when detail is null then ' (it is null)' else pg_catalog.format(' (it is of type %s)', pg_catalog.jsonb_typeof(detail)) end,
      detail = case when detail is null then 'It is null.' else pg_catalog.format('It is of type %s.', pg_catalog.jsonb_typeof(detail)) end,
      hint = 'Put it under a name, {"value": ...}; for no detail leave it out.';
  end if;

  if pg_catalog.length(key) not between 1 and 255 then
    raise exception using
      errcode = 'DJR11',
      message = place || pg_catalog.format('the key of an event must have 1 to 255 characters (it has %s)', pg_catalog.length(key)),
      detail = pg_catalog.format('It has %s.', pg_catalog.length(key)),
      hint = 'Use what identifies the occurrence: invoice-17-paid.';
  end if;
end
$$;

comment on function djr._validate(text, text, text, jsonb, text, text, text) is
  'Raises what is wrong with an event: DJR01 type, DJR02 scope, DJR03 user_id, DJR04 detail, DJR11 key, DJR18 topic. Internal.';
--! EndIncluded functions/internal/_validate.sql
--! Included functions/internal/_is_valid.sql
-- The rules of djr._validate that concern a single column, as one condition with few calls: PL/pgSQL prepares an expression anew in
-- every transaction, and each function in it costs time. The insert trigger checks whether scope and user fit together.
-- Plain SQL without SET, so that the planner inlines it. Callers must read null as no.
create or replace function djr._is_valid(
  user_id text,
  type text,
  detail jsonb
) returns boolean
language sql
immutable
as $$
  select type operator(pg_catalog.!~)
      E'^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)?$|^djr:|[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
    and pg_catalog.length(type) operator(pg_catalog.<=) 200
    and detail operator(pg_catalog.@>) '{}'
    and (
      user_id is null
      or user_id operator(pg_catalog.<>) '' and pg_catalog.length(user_id) operator(pg_catalog.<=) 255
    )
$$;

comment on function djr._is_valid(text, text, jsonb) is
  'Whether djr._validate would accept type, user and detail. Where it would not, call djr._validate for the error. Internal.';
--! EndIncluded functions/internal/_is_valid.sql
--! Included functions/internal/_fits.sql
-- The insert trigger calls it for every event, so it is plain SQL without SET, which the planner inlines. A replay_of of 0 marks the
-- orders of djr.disconnect and djr.recheck, to which the rule does not apply. Each operator costs every statement some three thousand
-- instructions before it is called, so there are two.
create or replace function djr._fits(
  scope text,
  user_id text,
  topic text,
  replay_of bigint
) returns boolean
language sql
immutable
as $$
  select scope operator(pg_catalog.=) any (
    case
      when topic is null and user_id is null then array['public', 'system']
      when topic is null then array['user', 'system']
      when user_id is null then array['topic']
      else array[]::pg_catalog.text[]
    end
  ) or coalesce(replay_of operator(pg_catalog.=) 0, false)
$$;

comment on function djr._fits(text, text, text, bigint) is
  'Whether an event''s scope, user and topic fit together; where they do not, djr._validate raises DJR02. Internal.';
--! EndIncluded functions/internal/_fits.sql
--! Included functions/internal/_is_topic.sql
-- The rules of djr._validate_topic as one condition, without an error. Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_topic(topic text) returns boolean
language sql
immutable
as $$
  select topic is null or (
    topic operator(pg_catalog.<>) ''
    and pg_catalog.length(topic) operator(pg_catalog.<=) 255
    and topic operator(pg_catalog.!~)
      E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
  )
$$;

comment on function djr._is_topic(text) is
  'Whether djr._validate_topic would accept the topic; null is accepted. Internal.';
--! EndIncluded functions/internal/_is_topic.sql
--! Included functions/internal/_scope.sql
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._scope(
  scope text,
  topic text
) returns text
language sql
immutable
as $$
  select coalesce(scope, case when topic is null then 'user' else 'topic' end)
$$;

comment on function djr._scope(text, text) is
  'The scope of an element of djr.publish_many. If it names none: topic when it has a topic, otherwise user. Internal.';
--! EndIncluded functions/internal/_scope.sql
--! Included functions/internal/_is_readable.sql
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_readable(
  id bigint,
  xid xid8,
  created_at timestamptz
) returns boolean
language sql
immutable
as $$
  select id operator(pg_catalog.>=) 1
    and id operator(pg_catalog.<=) 9007199254740991
    and created_at operator(pg_catalog.>=) '1970-01-01 00:00:00+00'
    and created_at operator(pg_catalog.<) '255479-01-01 00:00:00+00'
    and xid operator(pg_catalog.<) '9007199254740992'
$$;

comment on function djr._is_readable(bigint, xid8, timestamptz) is
  'Whether a runtime can read these values of an event: the numbers must be safe integers of JavaScript, and a Date must be able to hold the time. Internal.';
--! EndIncluded functions/internal/_is_readable.sql
--! Included functions/internal/_refuse_unreadable.sql
-- Only the owner can write the columns id, xid and created_at. With such a value no runtime could deliver the event.
create or replace function djr._refuse_unreadable(header json) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR16',
    message = format('event "%s" must have an id, a transaction and a time that every runtime can read', header ->> 4),
    detail = format('Its id is %s, its transaction %s, its milliseconds since 1970 are %s.', header ->> 0, header ->> 1, header ->> 5),
    hint = 'Leave id, xid and created_at to the database; ids and transactions are below 2^53, and times between 1970 and the year 255478.';
end
$$;

comment on function djr._refuse_unreadable(json) is
  'Raises DJR16: no runtime could read the event. Internal.';
--! EndIncluded functions/internal/_refuse_unreadable.sql
--! Included functions/internal/_announce.sql
-- This trigger runs for every publish, so it makes few calls: each query and each function costs as much as an index. While delivery
-- is sweep, one query finds out that nothing is to be refused. While it is notify, each event is encoded once, and as many events
-- as fit are packed into one message, because every listener must fetch every message. Of a statement with thousands of events the
-- first 32 messages are sent; then a doorbell tells the instances to sweep for the rest, which costs both sides less than more messages.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- How many more messages this statement may send; 0 while delivery is sweep.
  _room integer;
  _channel text;
  _line text;
  _misfit boolean;
  _most integer;
  _header json;
  _message text;
begin
  -- The mode is a sequence, so it is read as it is now, not as of a snapshot; it is null until it is first set. A header takes at most
  -- 110 bytes, and four for each of a type's 200 characters, and six for each of a user's or a topic's 255 characters. So with a detail
  -- of up to 5,500 bytes no message is too large, and the message need not be encoded to know that.
  perform
  from _new
  where coalesce(pg_sequence_last_value('djr.delivery_mode'), 1) <> 2
    or octet_length(_new.detail::text) > 5500
    or not djr._fits(_new.scope, _new.user_id, _new.topic, _new.replay_of)
    or not djr._is_readable(_new.id, _new.xid, _new.created_at)
  limit 1;
  if not found then
    return null;
  end if;

  _room := case pg_sequence_last_value('djr.delivery_mode') when 2 then 0 else 32 end;
  for _line, _misfit in
    select
      djr._encode(_new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail, _new.topic),
      not djr._fits(_new.scope, _new.user_id, _new.topic, _new.replay_of)
        or not djr._is_readable(_new.id, _new.xid, _new.created_at)
    from _new
    -- publish_many inserts in the order of the keys; the ids have the order of its argument.
    order by _new.id
  loop
    if _misfit or octet_length(_line) > 7999 then
      _most := coalesce((select settings.max_bytes from djr.settings), 7999);
      if _misfit or octet_length(_line) > _most then
        _header := split_part(_line, E'\t', 1)::json;
        perform djr._validate(_header ->> 2, _header ->> 3, _header ->> 4, '{}', null, '', _header ->> 6);
        if octet_length(_line) > _most then
          perform djr._refuse_size(_header ->> 4, octet_length(_line), _most, true);
        end if;
        perform djr._refuse_unreadable(_header);
      end if;
      continue when _room = 0;
      -- NOTIFY cannot carry this event, so a sweep delivers it; and all events after it, as none must be delivered before it.
      if _message is not null then
        perform pg_notify(coalesce((select settings.channel from djr.settings), djr.channel()), _message);
      end if;
      _message := '{"doorbell":"sweep"}';
      _room := 0;
    end if;
    continue when _room = 0;

    if _message is null then
      _message := _line;
    elsif octet_length(_message) + 1 + octet_length(_line) <= 7999 then
      _message := _message || E'\n' || _line;
    else
      _channel := coalesce(_channel, (select settings.channel from djr.settings), djr.channel());
      perform pg_notify(_channel, _message);
      _message := _line;
      _room := _room - 1;
      if _room = 0 then
        _message := '{"doorbell":"sweep"}';
        -- The others are not sent, so they are encoded only if one of them may have to be refused.
        exit when not exists (
          select
          from _new
          where octet_length(_new.detail::text) > 5500
            or not djr._fits(_new.scope, _new.user_id, _new.topic, _new.replay_of)
            or not djr._is_readable(_new.id, _new.xid, _new.created_at)
        );
      end if;
    end if;
  end loop;

  if _message is not null then
    perform pg_notify(settings.channel, _message) from djr.settings;
    if not found then
      perform pg_notify(djr.channel(), _message);
    end if;
  end if;
  return null;
end
$$;

comment on function djr._announce() is
  'The insert trigger of djr.event: refuses an event that is too large (DJR05), whose scope, user and topic do not fit together (DJR02) or that no runtime could read (DJR16), and announces the others with NOTIFY. Internal.';
--! EndIncluded functions/internal/_announce.sql
--! Included triggers/event_announce.sql
create or replace trigger event_announce
after insert on djr.event
referencing new table as _new
for each statement
execute function djr._announce();

comment on trigger event_announce on djr.event is
  'Every insert publishes: the trigger checks the rows of a statement and notifies.';
--! EndIncluded triggers/event_announce.sql
--! Included functions/internal/_forget_activity.sql
-- This replaces a foreign key with ON DELETE CASCADE, which would delete row by row. It also records the deletion in the settings, in
-- the same transaction, whether djr.prune or a person deletes: a client that resumes from before the deletion is then told to reset.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _highest xid8;
  _last bigint;
begin
  if tg_op = 'DELETE' then
    -- max(xid8) exists from PostgreSQL 15 on.
    select _old.xid into _highest from _old order by _old.xid desc limit 1;
    if not found then
      return null;
    end if;
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  -- If one TRUNCATE names both tables, this one is empty by now, and PostgreSQL refuses to truncate it again within the statement.
  else
    _highest := pg_current_xact_id();
    if exists (select from djr.activity) then
      truncate djr.activity;
    end if;
    -- Instances and browsers take an event whose id they have had for a repeat, so ids go on even after `restart identity`.
    _last := coalesce(nullif(current_setting('djr.last_event_id', true), '')::bigint, 0);
    if _last > coalesce(pg_sequence_last_value('djr.event_id_seq'), 0) then
      perform setval('djr.event_id_seq', _last);
    end if;
  end if;
  insert into djr.settings (pruned_xid) values (_highest)
  on conflict (one_row) do update set pruned_xid = excluded.pruned_xid
  where settings.pruned_xid is null or settings.pruned_xid < excluded.pruned_xid;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event that deletes the activity of deleted events, and records in djr.settings.pruned_xid that they are gone. Internal.';
--! EndIncluded functions/internal/_forget_activity.sql
--! Included triggers/event_forget.sql
create or replace trigger event_forget
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._forget_activity();

comment on trigger event_forget on djr.event is
  'Deletes the activity of deleted events, and records in the settings up to which transaction events are gone.';

create or replace trigger event_forget_all
after truncate on djr.event
for each statement
execute function djr._forget_activity();

comment on trigger event_forget_all on djr.event is
  'Deletes the activity of all events, and records in the settings that all events are gone.';
--! EndIncluded triggers/event_forget.sql
--! Included functions/internal/_is_awaited.sql
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_awaited(
  frontier pg_snapshot,
  upto pg_snapshot,
  last_id bigint,
  xid xid8,
  id bigint
) returns boolean
language sql
immutable
as $$
  select not pg_catalog.pg_visible_in_snapshot(xid, frontier)
    and not coalesce(id operator(pg_catalog.<=) last_id and pg_catalog.pg_visible_in_snapshot(xid, upto), false)
$$;

comment on function djr._is_awaited(pg_snapshot, pg_snapshot, bigint, xid8, bigint) is
  'Whether a consumer at this place has yet to get this event, leaving aside its filters and djr._consumer_done. Internal.';
--! EndIncluded functions/internal/_is_awaited.sql
--! Included functions/internal/_is_for.sql
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._is_for(
  types text[],
  topics text[],
  scope text,
  type text,
  topic text
) returns boolean
language sql
immutable
as $$
  select scope operator(pg_catalog.<>) 'control'
    and (types is null or type operator(pg_catalog.=) any (types))
    and (topics is null or coalesce(topic operator(pg_catalog.=) any (topics), false))
$$;

comment on function djr._is_for(text[], text[], text, text, text) is
  'Whether the filters of a consumer let an event of this scope, type and topic through. Internal.';
--! EndIncluded functions/internal/_is_for.sql
--! Included functions/internal/_overtake.sql
-- A transaction that deletes events, by djr.prune or by hand, records the loss for every consumer that had yet to get them. Each
-- place is read a second time under the consumer's lock: the lock waits for a transaction that is consuming, which may have read
-- these events.
create or replace function djr._overtake() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  -- Events that this transaction itself published were never visible to anybody else, so nobody loses them.
  _own xid8 := pg_current_xact_id_if_assigned();
begin
  for _id in
    select _consumer.id
    from djr._consumer
    join djr._consumer_place place on place.consumer = _consumer.id
    where exists (
      select
      from _old
      where djr._is_for(_consumer.types, _consumer.topics, _old.scope, _old.type, _old.topic)
        and djr._is_awaited(place.frontier, place.upto, place.last_id, _old.xid, _old.id)
        and _old.xid <> _own
    )
    order by _consumer.id
  loop
    perform from djr._consumer where _consumer.id = _id for no key update;
    update djr._consumer_place place
    set
      overtaken_at = coalesce(place.overtaken_at, clock_timestamp()),
      lost = coalesce(place.lost, 0) + missed.events,
      reason = coalesce(place.reason, 'events were deleted before it had them')
    from (
      select count(*) as events
      from _old
      join djr._consumer on _consumer.id = _id
      join djr._consumer_place at on at.consumer = _id
      where djr._is_for(_consumer.types, _consumer.topics, _old.scope, _old.type, _old.topic)
        and djr._is_awaited(at.frontier, at.upto, at.last_id, _old.xid, _old.id)
        and _old.xid <> _own
        and not exists (
          select
          from djr._consumer_done done
          where done.consumer = _id
            and done.event_id = _old.id
        )
    ) missed
    where place.consumer = _id
      and missed.events > 0;
  end loop;
  return null;
end
$$;

comment on function djr._overtake() is
  'The trigger of djr.event that marks a consumer as overtaken when events are deleted that it had yet to get. Internal.';
--! EndIncluded functions/internal/_overtake.sql
--! Included functions/internal/_overtake_truncated.sql
-- The trigger runs before the table is emptied. TRUNCATE already holds the lock, so nothing is consumed or published meanwhile.
create or replace function djr._overtake_truncated() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  _lost bigint;
begin
  -- For djr._forget_activity, which runs when `restart identity` has reset the sequence.
  perform set_config('djr.last_event_id', coalesce(pg_sequence_last_value('djr.event_id_seq'), 0)::text, true);
  for _id, _lost in
    select
      _consumer.id,
      (
        select count(*)
        from djr.event
        where djr._is_for(_consumer.types, _consumer.topics, event.scope, event.type, event.topic)
          and djr._is_awaited(place.frontier, place.upto, place.last_id, event.xid, event.id)
          and not exists (
            select
            from djr._consumer_done done
            where done.consumer = _consumer.id
              and done.event_id = event.id
          )
      )
    from djr._consumer
    join djr._consumer_place place on place.consumer = _consumer.id
  loop
    continue when _lost = 0;
    update djr._consumer_place
    set
      overtaken_at = coalesce(_consumer_place.overtaken_at, clock_timestamp()),
      lost = coalesce(_consumer_place.lost, 0) + _lost,
      reason = coalesce(_consumer_place.reason, 'djr.event was truncated before it had all events')
    where _consumer_place.consumer = _id;
  end loop;
  return null;
end
$$;

comment on function djr._overtake_truncated() is
  'The trigger of djr.event that marks a consumer as overtaken when the table is truncated before it had all events. Internal.';
--! EndIncluded functions/internal/_overtake_truncated.sql
--! Included functions/internal/_overtake_all.sql
create or replace function djr._overtake_all(reason text) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
begin
  for _id in
    select _consumer.id from djr._consumer order by _consumer.id
  loop
    perform from djr._consumer where _consumer.id = _id for no key update;
    update djr._consumer_place
    set
      overtaken_at = coalesce(_consumer_place.overtaken_at, clock_timestamp()),
      reason = coalesce(_consumer_place.reason, _overtake_all.reason)
    where _consumer_place.consumer = _id;
  end loop;
end
$$;

comment on function djr._overtake_all(text) is
  'Marks every consumer as overtaken, for this reason: it may have lost events. Internal.';
--! EndIncluded functions/internal/_overtake_all.sql
--! Included triggers/event_overtake.sql
create or replace trigger event_overtake
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._overtake();

comment on trigger event_overtake on djr.event is
  'Marks a consumer as overtaken when an event is deleted that it had yet to get.';

create or replace trigger event_overtake_all
before truncate on djr.event
for each statement
execute function djr._overtake_truncated();

comment on trigger event_overtake_all on djr.event is
  'Marks a consumer as overtaken when the table is truncated before it had all events.';
--! EndIncluded triggers/event_overtake.sql
--! Included functions/internal/_consumer_cutoff.sql
-- How far pruning may go without deleting what a consumer still needs. A consumer that pruning would overtake is locked here, so that
-- the trigger which records the loss need not wait for it. A consumer whose lock another transaction holds is at work: it is not
-- overtaken in this round.
create or replace function djr._consumer_cutoff(expired timestamptz, out cutoff timestamptz, out busy integer[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _limit timestamptz := coalesce(
    (select clock_timestamp() - settings.consumer_retention from djr.settings),
    '-infinity'
  );
  _id integer;
  _oldest timestamptz;
begin
  cutoff := _consumer_cutoff.expired;
  busy := '{}';
  for _id, _oldest in
    select
      place.consumer,
      least(
        (
          select min(found.created_at)
          from (
            select event.created_at
            from djr.event
            where event.xid = any (array(select pg_snapshot_xip(place.frontier)))
            -- Without this line the planner might search the whole table for the oldest of them.
            offset 0
          ) found
        ),
        (
          select event.created_at
          from djr.event
          where event.xid >= pg_snapshot_xmax(place.frontier)
          order by event.xid, event.id
          limit 1
        )
      )
    from djr._consumer_place place
    order by place.consumer
  loop
    continue when _oldest is null or _oldest >= _consumer_cutoff.expired;
    if _oldest < _limit then
      perform from djr._consumer where _consumer.id = _id for no key update skip locked;
      if not found then
        busy := busy || _id;
      end if;
    end if;
    cutoff := least(cutoff, case when _id = any (busy) then _oldest else greatest(_oldest, _limit) end);
  end loop;
end
$$;

comment on function djr._consumer_cutoff(timestamptz) is
  'The time before which events may be pruned without overtaking a consumer, and the consumers that are at work now. Internal.';
--! EndIncluded functions/internal/_consumer_cutoff.sql

--! Included functions/internal/_refuse_key.sql
-- The message tells nothing about the event that has the key: it may be another publisher's, and for another user.
create or replace function djr._refuse_key(key text, place text default '') returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR12',
    message = format('%sa key must be of one event (%s is of another one)', _refuse_key.place, to_json(_refuse_key.key)),
    detail = 'Under this key an event was published that differs in its scope, its user, its topic or its type.',
    hint = 'Put into the key what tells the events apart: their type, and the user where there are several.';
end
$$;

comment on function djr._refuse_key(text, text) is
  'Raises DJR12: another event has the key. Internal.';
--! EndIncluded functions/internal/_refuse_key.sql
--! Included functions/internal/_refuse_key_unstored.sql
create or replace function djr._refuse_key_unstored(place text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR06',
    message = _refuse_key_unstored.place || 'an event with a key must be stored (store is false)',
    detail = 'Without the stored event nothing tells that the key was used before.',
    hint = 'Publish without a key, or with store => true.';
end
$$;

comment on function djr._refuse_key_unstored(text) is
  'Raises DJR06 for an event that has a key and no row. Internal.';
--! EndIncluded functions/internal/_refuse_key_unstored.sql
--! Included functions/internal/_may_be_kept_out.sql
-- An app may have triggers of its own on djr.event. One that returns null before the insert keeps the row out, and with it the event.
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._may_be_kept_out() returns boolean
language sql
stable
as $$
  select exists (
    select
    from pg_catalog.pg_trigger
    where pg_trigger.tgrelid operator(pg_catalog.=) 'djr.event'::pg_catalog.regclass
      and not pg_trigger.tgisinternal
      and pg_trigger.tgenabled operator(pg_catalog.<>) 'D'
      -- For each row, before, insert: bits 0, 1 and 2.
      and (pg_trigger.tgtype::integer operator(pg_catalog.&) 7) operator(pg_catalog.=) 7
  )
$$;

comment on function djr._may_be_kept_out() is
  'Whether djr.event has a trigger of the app that may keep a row out. Internal.';
--! EndIncluded functions/internal/_may_be_kept_out.sql
--! Included functions/internal/_publish_once.sql
-- djr._publish calls it for an event with a key only, so that publishing without a key costs nothing more.
-- The second publisher of a key waits until the first one's transaction ends: before that nobody can know whether the key is taken.
-- The first migrations made it without a topic.
drop function if exists djr._publish_once(text, text, text, jsonb, jsonb, text);
drop function if exists djr._publish_once(text, text, text, jsonb, jsonb, text, text);

create or replace function djr._publish_once(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text,
  topic text,
  store boolean
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
-- The column in `on conflict (key)` cannot be qualified, so a bare name means the column; every parameter is written qualified.
#variable_conflict use_column
declare
  _id bigint;
  _same boolean;
begin
  if _publish_once.store is false then
    perform djr._refuse_key_unstored('');
  elsif not (select settings.storage from djr.settings) then
    raise exception using
      errcode = 'DJR06',
      message = 'a key needs storage, and storage is off',
      detail = 'Without the stored event nothing tells that the key was used before.',
      hint = 'Publish without a key, or switch storage on: select djr.configure(storage => true).';
  end if;

  loop
    insert into djr.event (scope, user_id, type, detail, private_data, key, topic)
    values (
      _publish_once.scope, _publish_once.user_id, _publish_once.type,
      _publish_once.detail, _publish_once.private_data, _publish_once.key,
      _publish_once.topic
    )
    on conflict (key) where event.key is not null do nothing
    returning event.id into _id;
    exit when _id is not null;

    select
      event.id,
      event.scope = _publish_once.scope
        and event.type = _publish_once.type
        and event.user_id is not distinct from _publish_once.user_id
        and event.topic is not distinct from _publish_once.topic
    into _id, _same
    from djr.event
    where event.key = _publish_once.key;
    if not _same then
      perform djr._refuse_key(_publish_once.key);
    end if;
    -- If no event has the key now, it was pruned between the two statements: the key is free again, and the insert is repeated. Or a
    -- trigger of the app keeps the row out, and would do so again.
    exit when _id is not null or djr._may_be_kept_out();
  end loop;
  return _id;
end
$$;

comment on function djr._publish_once(text, text, text, jsonb, jsonb, text, text, boolean) is
  'Publishes unless the key was used before; returns the id of the event that has it (DJR12 if that one is another event, DJR06 with storage off or without a row). Internal.';
--! EndIncluded functions/internal/_publish_once.sql
--! Included functions/internal/_notify_only.sql
-- While storage is off there is no row, and so no trigger. The id still comes from the sequence, and the same rules apply, also those
-- that the trigger checks. It notifies in every delivery mode, because no sweep finds an event without a row.
-- The first migrations made it without a topic.
drop function if exists djr._notify_only(text, text, text, jsonb);

create or replace function djr._notify_only(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  topic text
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint := pg_catalog.nextval('djr.event_id_seq');
  _line text := djr._encode(_id, null, scope, user_id, type, pg_catalog.clock_timestamp(), detail, topic);
begin
  if djr._fits(scope, user_id, topic, null) is not true then
    perform djr._validate(scope, user_id, type, detail, null, '', topic);
  end if;
  -- NOTIFY takes a transaction id at commit anyway. Taken now, it lets a resume see that this transaction was in progress when storage
  -- was switched on again.
  perform pg_catalog.pg_current_xact_id();
  if pg_catalog.octet_length(_line) > 7999 then
    perform djr._refuse_size(type, pg_catalog.octet_length(_line), 7999, false);
  end if;
  perform pg_catalog.pg_notify(coalesce((select settings.channel from djr.settings), djr.channel()), _line);
  return _id;
end
$$;

comment on function djr._notify_only(text, text, text, jsonb, text) is
  'Publishes an event while storage is off. Internal.';
--! EndIncluded functions/internal/_notify_only.sql
--! Included functions/internal/_encode_unstored.sql
-- Plain SQL without SET, so that the planner inlines it into its callers.
create or replace function djr._encode_unstored(
  id bigint,
  scope text,
  user_id text,
  type text,
  detail jsonb,
  topic text
) returns text
language sql
volatile
as $$
  select pg_catalog.json_build_array(
    id,
    null,
    scope,
    user_id,
    type,
    pg_catalog.trunc(extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 1000),
    topic,
    'unstored'
  )::pg_catalog.text operator(pg_catalog.||) E'\t' operator(pg_catalog.||) detail::pg_catalog.text
$$;

comment on function djr._encode_unstored(bigint, text, text, text, jsonb, text) is
  'An event with store => false as a line of a NOTIFY message: as djr._encode makes it, but with null as transaction and "unstored" after the topic. Internal.';
--! EndIncluded functions/internal/_encode_unstored.sql
--! Included functions/internal/_passes.sql
-- A commit that notifies holds a lock of the whole cluster until it is on disk. While delivery is sweep, stored events avoid that lock.
-- Events without a row need NOTIFY, and must not make commits queue for the lock: so only a limited number may be sent in each tenth
-- of a second, and the rest is dropped and counted. While the NOTIFY queue fills up, all are dropped, because commits fail once it is
-- full. Counter and limit are sequences: every session sees their current value at once, and no session waits for another.
create or replace function djr._passes() returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _tenth bigint;
  _place bigint;
begin
  if pg_sequence_last_value('djr.delivery_mode') is distinct from 2 then
    return true;
  end if;
  _tenth := trunc(extract(epoch from clock_timestamp()) * 10);
  _place := nextval('djr.unstored_place');
  if _place / 1048576 <> _tenth then
    perform setval('djr.unstored_place', _tenth * 1048576 + 1);
    _place := 1;
  end if;
  if _place % 1048576 <= coalesce(pg_sequence_last_value('djr.unstored_limit'), 1000) / 10
    and pg_notification_queue_usage() < coalesce((select settings.queue_limit from djr.settings), 1)
  then
    return true;
  end if;
  perform nextval('djr.unstored_dropped');
  return false;
end
$$;

comment on function djr._passes() is
  'Whether an event with store => false may be sent now: always while delivery is notify; while it is sweep, up to djr.unstored_limit a second, and none while the NOTIFY queue is fuller than the setting queue_limit. Counts those that may not. Internal.';
--! EndIncluded functions/internal/_passes.sql
--! Included functions/internal/_publish_unstored.sql
-- djr._publish and djr.publish_many call it after they have validated the event. The size is checked before the event may be dropped,
-- so that a too large event is refused however many events there are.
create or replace function djr._publish_unstored(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  topic text
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint := nextval('djr.event_id_seq');
  _line text := djr._encode_unstored(_id, scope, user_id, type, detail, topic);
begin
  if octet_length(_line) > 7999 then
    perform djr._refuse_size(type, octet_length(_line), 7999, false);
  end if;
  if not djr._passes() then
    return null;
  end if;
  perform pg_notify(coalesce((select settings.channel from djr.settings), djr.channel()), _line);
  return _id;
end
$$;

comment on function djr._publish_unstored(text, text, text, jsonb, text) is
  'Publishes an event with store => false: NOTIFY and no row. Returns its id; null where it was dropped. Internal.';
--! EndIncluded functions/internal/_publish_unstored.sql
--! Included functions/internal/_publish_many_unstored.sql
-- djr.publish_many calls it after it has validated all events. As many events as fit go into one message.
create or replace function djr._publish_many_unstored(events jsonb, ids bigint[]) returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _channel text := coalesce((select settings.channel from djr.settings), djr.channel());
  _ids bigint[] := ids;
  _place integer;
  _type text;
  _line text;
  _message text;
begin
  for _place, _type, _line in
    select
      element.place,
      element.value ->> 'type',
      djr._encode_unstored(
        ids[element.place],
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'type',
        coalesce(element.value -> 'detail', '{}'),
        element.value ->> 'topic'
      )
    from jsonb_array_elements(events) with ordinality element (value, place)
    where element.value -> 'store' = 'false'
    order by element.place
  loop
    if octet_length(_line) > 7999 then
      perform djr._refuse_size(_type, octet_length(_line), 7999, false);
    end if;
    if not djr._passes() then
      _ids[_place] := null;
    elsif octet_length(_message) + 1 + octet_length(_line) <= 7999 then
      _message := _message || E'\n' || _line;
    else
      if _message is not null then
        perform pg_notify(_channel, _message);
      end if;
      _message := _line;
    end if;
  end loop;
  if _message is not null then
    perform pg_notify(_channel, _message);
  end if;
  return _ids;
end
$$;

comment on function djr._publish_many_unstored(jsonb, bigint[]) is
  'Sends the elements of djr.publish_many that have "store": false, under these ids, and returns the ids, null for what was dropped. Internal.';
--! EndIncluded functions/internal/_publish_many_unstored.sql
--! Included functions/internal/_publish.sql
drop function if exists djr._publish(text, text, text, jsonb, jsonb, text, text);

-- All publish* functions for one event call this one. It has no exception block, as a subtransaction would cost more than the event,
-- and takes no lock that outlives the statement.
create or replace function djr._publish(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text,
  topic text,
  store boolean
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint;
  _storage boolean;
begin
  if djr._is_valid(_publish.user_id, _publish.type, _publish.detail) is not true
    or _publish.key is not null
    or not djr._is_topic(_publish.topic)
    or _publish.store is false
  then
    perform djr._validate(
      _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.key, '', _publish.topic
    );
    if _publish.key is not null then
      return djr._publish_once(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key,
        _publish.topic, _publish.store
      );
    elsif _publish.store is false then
      return djr._publish_unstored(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.topic);
    end if;
  end if;

  -- The insert itself reads the setting storage: one statement instead of two.
  insert into djr.event (scope, user_id, type, detail, private_data, topic)
  select _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.topic
  from djr.settings
  where settings.storage
  returning event.id into _id;
  if _id is null then
    select settings.storage into _storage from djr.settings;
    if not found then
      perform djr._heal_settings();
      return djr._publish(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key,
        _publish.topic, _publish.store
      );
    elsif _storage and djr._may_be_kept_out() then
      return null;
    end if;
    return djr._notify_only(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.topic);
  end if;
  return _id;
end
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text, text, boolean) is
  'Publishes one event: publish, publish_public, publish_topic and publish_system all call it. Granted by djr.grant_publish. Internal.';

-- The first migrations made this one. It stays, because a session that planned a publish before an upgrade may call it afterwards.
create or replace function djr._publish(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text
) returns bigint
language sql
as $$
  select djr._publish(
    _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key, null, true
  )
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text) is
  'djr._publish for events without a topic. Internal.';
--! EndIncluded functions/internal/_publish.sql
--! Included functions/internal/_base_type.sql
create or replace function djr._base_type(
  type oid
) returns oid
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _base oid := _base_type.type;
begin
  while (select pg_type.typtype = 'd' from pg_type where pg_type.oid = _base) loop
    select pg_type.typbasetype into _base from pg_type where pg_type.oid = _base;
  end loop;
  return _base;
end
$$;

comment on function djr._base_type(oid) is
  'The type under a domain, also through several domains; a type that is no domain is returned as it is. Internal.';
--! EndIncluded functions/internal/_base_type.sql
--! Included functions/internal/_type_of.sql
-- The overloads for a detail of type json declare `type` as anycompatiblenonarray. PostgreSQL then prefers djr.publish(text, text, jsonb)
-- for a call that matches both, such as one with '{}', which may be json as well as jsonb. So no call is ambiguous.
create or replace function djr._type_of(type anycompatiblenonarray) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if djr._base_type(pg_typeof(_type_of.type)) <> all ('{text,varchar,bpchar,name}'::regtype[]) then
    raise exception using
      errcode = 'DJR01',
      message = format('the type of an event must be a text (it is of type %s)', pg_typeof(_type_of.type)),
      hint = 'Name what happened in a word or two: order_paid.';
  end if;
  return _type_of.type::text;
end
$$;

comment on function djr._type_of(anycompatiblenonarray) is
  'The type of an event as a text; DJR01 for a value that is no text. Internal.';
--! EndIncluded functions/internal/_type_of.sql
--! Included functions/internal/_user_of.sql
-- The numeric 42.0 is user 42, as both are the same number; 42.5 is no user's id.
create or replace function djr._user_of(user_id numeric) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _user_of.user_id in ('NaN', 'Infinity', '-Infinity') or _user_of.user_id <> trunc(_user_of.user_id) then
    raise exception using
      errcode = 'DJR03',
      message = format('a user_id of type numeric must be a whole number (it is %s)', _user_of.user_id),
      detail = format('It is %s.', _user_of.user_id),
      hint = 'Pass the id by which your login knows the user.';
  end if;
  return trim_scale(_user_of.user_id)::text;
end
$$;

comment on function djr._user_of(numeric) is
  'A user''s id of type numeric as a text, 42 for 42.0; DJR03 if it has a fraction or is no number. Internal.';
--! EndIncluded functions/internal/_user_of.sql
--! Included functions/internal/_user_of_any.sql
-- The overloads for a detail of type json take a user_id of any type. This accepts the types for which djr.publish has overloads.
create or replace function djr._user_of_any(user_id anynonarray) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _type regtype := djr._base_type(pg_typeof(_user_of_any.user_id));
begin
  if _type = 'numeric'::regtype then
    return djr._user_of(_user_of_any.user_id::numeric);
  elsif _type = any ('{smallint,integer,bigint,uuid}'::regtype[]) then
    return _user_of_any.user_id::text;
  end if;
  raise exception using
    errcode = 'DJR03',
    message = format('a user_id must be a text, a whole number or a uuid (it is of type %s)', pg_typeof(_user_of_any.user_id)),
    hint = 'Pass the id by which your login knows the user, cast to text.';
end
$$;

comment on function djr._user_of_any(anynonarray) is
  'A user''s id of any type that djr.publish takes, as a text; DJR03 for another type. Internal.';
--! EndIncluded functions/internal/_user_of_any.sql
--! Included functions/public/publish.sql
-- An overload for each type that ids of users have. They are plain SQL without SET, so that the planner replaces each by its call of
-- djr._publish, which validates and is SECURITY DEFINER.
create or replace function djr.publish(
  user_id text,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(text, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a text, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id bigint,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(bigint, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a bigint, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id uuid,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(uuid, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a uuid, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

-- Without overloads for smallint and integer, an argument of these types would be ambiguous between bigint and numeric.
create or replace function djr.publish(
  user_id smallint,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(smallint, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a smallint, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id integer,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(integer, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is an integer, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12).';

create or replace function djr.publish(
  user_id numeric,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', djr._user_of(publish.user_id), publish.type, publish.detail, publish.private_data, publish.key, null, true)
$$;

comment on function djr.publish(numeric, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a numeric, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id; if it differs in user or type it is refused (DJR12). An id with a fraction is refused (DJR03); 42.0 is user 42.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish(
  user_id text,
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user',
    publish.user_id,
    djr._type_of(publish.type),
    publish.detail::pg_catalog.jsonb,
    publish.private_data::pg_catalog.jsonb,
    publish.key,
    null,
    publish.store
  )
$$;

comment on function djr.publish(text, anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish for a detail of type json: to a user whose id is a text.';

create or replace function djr.publish(
  user_id anynonarray,
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user',
    djr._user_of_any(publish.user_id),
    djr._type_of(publish.type),
    publish.detail::pg_catalog.jsonb,
    publish.private_data::pg_catalog.jsonb,
    publish.key,
    null,
    publish.store
  )
$$;

comment on function djr.publish(anynonarray, anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish for a detail of type json: to a user whose id is a whole number or a uuid (DJR03 for any other type).';

-- The same overloads with the parameter store; only a call that names store means these. `type` is a varchar here: if both overloads
-- took a text, a call without store would be ambiguous, but a literal or a text matches the other overload better. The older overloads
-- therefore need not be dropped, and an upgrade disturbs neither a session that publishes nor a view or function that does.
create or replace function djr.publish(
  user_id text,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(text, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a text. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id bigint,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(bigint, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a bigint. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id uuid,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(uuid, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a uuid. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id smallint,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(smallint, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a smallint. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id integer,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(integer, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is an integer. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';

create or replace function djr.publish(
  user_id numeric,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'user', djr._user_of(publish.user_id), publish.type, publish.detail, publish.private_data, publish.key, null, publish.store
  )
$$;

comment on function djr.publish(numeric, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish with store, for a user whose id is a numeric. With store => false there is no row: it goes by NOTIFY alone to whoever is connected when it commits, and no resume and no replay brings it. Its id is one that no other event has; null where it was dropped, which happens only while delivery is sweep (djr.unstored_limit). private_data is not kept, a key is refused (DJR06), and it is refused over 7,999 bytes whatever max_bytes is (DJR05).';
--! EndIncluded functions/public/publish.sql
--! Included functions/public/publish_public.sql
create or replace function djr.publish_public(
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    publish_public.type,
    publish_public.detail,
    publish_public.private_data,
    publish_public.key,
    null,
    true
  )
$$;

comment on function djr.publish_public(text, jsonb, jsonb, text) is
  'Publishes an event to every client, anonymous ones too, and returns its id. For the rest see djr.publish.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_public(
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    djr._type_of(publish_public.type),
    publish_public.detail::pg_catalog.jsonb,
    publish_public.private_data::pg_catalog.jsonb,
    publish_public.key,
    null,
    publish_public.store
  )
$$;

comment on function djr.publish_public(anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish_public for a detail of type json.';

-- With store: see djr.publish.
create or replace function djr.publish_public(
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public', null, publish_public.type, publish_public.detail, publish_public.private_data, publish_public.key, null, publish_public.store
  )
$$;

comment on function djr.publish_public(varchar, jsonb, jsonb, text, boolean) is
  'djr.publish_public with store: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
--! EndIncluded functions/public/publish_public.sql
--! Included functions/public/publish_global.sql
create or replace function djr.publish_global(
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    publish_global.type,
    publish_global.detail,
    publish_global.private_data,
    publish_global.key,
    null,
    true
  )
$$;

comment on function djr.publish_global(text, jsonb, jsonb, text) is
  'The former name of djr.publish_public; it stays as an alias.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_global(
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    djr._type_of(publish_global.type),
    publish_global.detail::pg_catalog.jsonb,
    publish_global.private_data::pg_catalog.jsonb,
    publish_global.key,
    null,
    publish_global.store
  )
$$;

comment on function djr.publish_global(anycompatiblenonarray, json, json, text, boolean) is
  'Another name of djr.publish_public for a detail of type json.';

-- With store: see djr.publish.
create or replace function djr.publish_global(
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'public', null, publish_global.type, publish_global.detail, publish_global.private_data, publish_global.key, null, publish_global.store
  )
$$;

comment on function djr.publish_global(varchar, jsonb, jsonb, text, boolean) is
  'djr.publish_global with store: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
--! EndIncluded functions/public/publish_global.sql
--! Included functions/public/publish_system.sql
-- Only the overload for text has a default, so that a call without a user is not ambiguous.
create or replace function djr.publish_system(
  type text,
  detail jsonb default '{}',
  user_id text default null,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, text, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type text) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id bigint,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, bigint, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type bigint) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id uuid,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, uuid, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type uuid) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id smallint,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, smallint, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type smallint) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id integer,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, integer, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type integer) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id numeric,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system', djr._user_of(publish_system.user_id), publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, true
  )
$$;

comment on function djr.publish_system(text, jsonb, numeric, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type numeric) or nobody, and returns its id. For the rest see djr.publish.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_system(
  type anycompatiblenonarray,
  detail json,
  user_id text default null,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id, djr._type_of(publish_system.type), publish_system.detail::pg_catalog.jsonb, publish_system.private_data::pg_catalog.jsonb, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(anycompatiblenonarray, json, text, json, text, boolean) is
  'djr.publish_system for a detail of type json: about a user whose id is a text, or nobody.';

create or replace function djr.publish_system(
  type anycompatiblenonarray,
  detail json,
  user_id anynonarray,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', djr._user_of_any(publish_system.user_id), djr._type_of(publish_system.type), publish_system.detail::pg_catalog.jsonb, publish_system.private_data::pg_catalog.jsonb, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(anycompatiblenonarray, json, anynonarray, json, text, boolean) is
  'djr.publish_system for a detail of type json: about a user whose id is a whole number or a uuid (DJR03 for any other type).';

-- With store: see djr.publish.
create or replace function djr.publish_system(
  type varchar,
  detail jsonb default '{}',
  user_id text default null,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, text, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a text: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id bigint,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, bigint, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a bigint: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id uuid,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, uuid, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a uuid: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id smallint,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, smallint, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a smallint: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id integer,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', publish_system.user_id::pg_catalog.text, publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, integer, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is an integer: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';

create or replace function djr.publish_system(
  type varchar,
  detail jsonb,
  user_id numeric,
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'system', djr._user_of(publish_system.user_id), publish_system.type, publish_system.detail, publish_system.private_data, publish_system.key, null, publish_system.store
  )
$$;

comment on function djr.publish_system(varchar, jsonb, numeric, jsonb, text, boolean) is
  'djr.publish_system with store, about a user whose id is a numeric: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
--! EndIncluded functions/public/publish_system.sql
--! Included functions/public/publish_topic.sql
create or replace function djr.publish_topic(
  topic text,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'topic',
    null,
    publish_topic.type,
    publish_topic.detail,
    publish_topic.private_data,
    publish_topic.key,
    publish_topic.topic,
    true
  )
$$;

comment on function djr.publish_topic(text, text, jsonb, jsonb, text) is
  'Publishes an event to the clients that may hear a topic (djr.seal, or the setting authorize_topic), and returns its id. For the rest see djr.publish.';

-- For a detail of type json, which json_build_object and row_to_json return. djr._type_of explains why no call becomes ambiguous.
create or replace function djr.publish_topic(
  topic text,
  type anycompatiblenonarray,
  detail json,
  private_data json default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'topic',
    null,
    djr._type_of(publish_topic.type),
    publish_topic.detail::pg_catalog.jsonb,
    publish_topic.private_data::pg_catalog.jsonb,
    publish_topic.key,
    publish_topic.topic,
    publish_topic.store
  )
$$;

comment on function djr.publish_topic(text, anycompatiblenonarray, json, json, text, boolean) is
  'djr.publish_topic for a detail of type json.';

-- With store: see djr.publish.
create or replace function djr.publish_topic(
  topic text,
  type varchar,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null,
  store boolean default true
) returns bigint
language sql
as $$
  select djr._publish(
    'topic', null, publish_topic.type, publish_topic.detail, publish_topic.private_data, publish_topic.key, publish_topic.topic, publish_topic.store
  )
$$;

comment on function djr.publish_topic(text, varchar, jsonb, jsonb, text, boolean) is
  'djr.publish_topic with store: false sends it by NOTIFY alone, without a row. For the rest see djr.publish with store.';
--! EndIncluded functions/public/publish_topic.sql
--! Included functions/public/publish_many.sql
create or replace function djr.publish_many(events jsonb) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
-- The column in `on conflict (key)` cannot be qualified, so a bare name means the column; the parameter is written qualified.
#variable_conflict use_column
declare
  _storage boolean;
  _members constant text[] := array['scope', 'user_id', 'topic', 'type', 'detail', 'private_data', 'key', 'store'];
  _keyed boolean := false;
  _unstored boolean := false;
  -- The first event's type, if it is valid. Most arrays have one type only, so the type of elements with the same type is not checked
  -- again. For these the check of user_id and detail gets the fixed valid type 'sound', so the planner evaluates the rule for types only
  -- once.
  _type jsonb := case
    when jsonb_typeof(publish_many.events #> '{0,type}') = 'string'
      and djr._is_valid(null, publish_many.events #>> '{0,type}', '{}') then publish_many.events #> '{0,type}'
  end;
  _element jsonb;
  _index bigint;
  _unknown text;
  _ids bigint[];
  _found bigint[];
  _again boolean := false;
  _guarded boolean;
begin
  if jsonb_typeof(publish_many.events) is distinct from 'array' then
    raise exception using
      errcode = 'DJR09',
      message = format(
        'publish_many takes a JSON array of events (what it got is %s)',
        coalesce('of type ' || jsonb_typeof(publish_many.events), 'null')
      ),
      detail = format('It is %s.', coalesce('of type ' || jsonb_typeof(publish_many.events), 'null')),
      hint = 'Build it with jsonb_agg(jsonb_build_object(''user_id'', ..., ''type'', ..., ''detail'', ...)).';
  end if;

  -- One query validates all elements and finds the first that is wrong; only for that one the code below finds out what is wrong.
  select element.value, element.place - 1
  into _element, _index
  from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
  where case
    when jsonb_typeof(element.value) <> 'object' then true
    else
      element.value - _members <> '{}'
      or jsonb_typeof(element.value -> 'user_id') not in ('string', 'number', 'null')
      or jsonb_typeof(element.value -> 'user_id') = 'number' and strpos(element.value ->> 'user_id', '.') > 0
      or jsonb_typeof(element.value -> 'scope') <> 'string'
      or jsonb_typeof(element.value -> 'key') not in ('string', 'number', 'null')
      or length(element.value ->> 'key') not between 1 and 255
      or case
        when element.value -> 'type' = _type
          then djr._is_valid(element.value ->> 'user_id', 'sound', coalesce(element.value -> 'detail', '{}'))
        else jsonb_typeof(element.value -> 'type') = 'string' and djr._is_valid(
          element.value ->> 'user_id',
          element.value ->> 'type',
          coalesce(element.value -> 'detail', '{}')
        )
      end is not true
      or not djr._fits(
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'topic',
        null
      )
      or jsonb_typeof(element.value -> 'topic') not in ('string', 'null')
      or jsonb_typeof(element.value -> 'store') not in ('boolean', 'null')
      or element.value -> 'store' = 'false' and element.value ->> 'key' is not null
      or not djr._is_topic(element.value ->> 'topic')
  end
  order by element.place
  limit 1;
  if found then
    if jsonb_typeof(_element) <> 'object' then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: an event must be a JSON object (it is of type %s)', _index, jsonb_typeof(_element)),
        detail = format('It is of type %s.', jsonb_typeof(_element)),
        hint = 'Its members are scope, user_id, topic, type, detail, private_data, key and store.';
    end if;
    -- Unknown members are refused, because a misspelt user_id must not go unnoticed.
    if _element - _members <> '{}' then
      select jsonb_object_keys(_element - _members) into _unknown limit 1;
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: an event must have known members only (it has %s)', _index, to_json(_unknown)),
        detail = 'Its members are scope, user_id, topic, type, detail, private_data, key and store.',
        hint = 'What the client shall get belongs into detail.';
    end if;
    if jsonb_typeof(_element -> 'user_id') not in ('string', 'number', 'null')
      or jsonb_typeof(_element -> 'type') <> 'string'
      or jsonb_typeof(_element -> 'scope') <> 'string'
      or jsonb_typeof(_element -> 'key') not in ('string', 'number', 'null')
      or jsonb_typeof(_element -> 'topic') not in ('string', 'null')
    then
      raise exception using
        errcode = 'DJR09',
        message = format(
          'events[%s]: scope, type, user_id, topic and key must be strings (%s)',
          _index,
          (
            select string_agg(format('%s is of type %s', member.key, jsonb_typeof(member.value)), ', ' order by member.key)
            from jsonb_each(_element) member
            where member.key in ('scope', 'type', 'user_id', 'topic', 'key') and jsonb_typeof(member.value) <> 'string'
          )
        ),
        detail = format('The event is %s.', left(_element::text, 200)),
        hint = 'A user_id and a key may be numbers.';
    end if;
    if jsonb_typeof(_element -> 'store') not in ('boolean', 'null') then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: store must be true or false (it is %s)', _index, _element -> 'store'),
        detail = format('It is of type %s.', jsonb_typeof(_element -> 'store')),
        hint = 'false: by NOTIFY alone, without a row.';
    end if;
    if jsonb_typeof(_element -> 'user_id') = 'number' and strpos(_element ->> 'user_id', '.') > 0 then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: a number as user_id must be a whole number (it is %s)', _index, _element ->> 'user_id'),
        detail = 'JSON tells 42 from 42.0, and a user''s id is a text.',
        hint = 'Pass the id by which your login knows the user, as a string.';
    end if;
    perform djr._validate(
      djr._scope(_element ->> 'scope', _element ->> 'topic'),
      _element ->> 'user_id',
      _element ->> 'type',
      coalesce(_element -> 'detail', '{}'),
      _element ->> 'key',
      format('events[%s]: ', _index),
      _element ->> 'topic'
    );
    perform djr._refuse_key_unstored(format('events[%s]: ', _index));
  end if;

  -- One test for both features, so that an array without keys and without store => false costs one test only.
  if jsonb_path_exists(publish_many.events, '$[*] ? (@.key != null || @.store == false)') then
    _keyed := jsonb_path_exists(publish_many.events, '$[*].key ? (@ != null)');
    _unstored := jsonb_path_exists(publish_many.events, '$[*].store ? (@ == false)');
  end if;
  select settings.storage into _storage from djr.settings;
  if not _storage then
    if _keyed then
      raise exception using
        errcode = 'DJR06',
        message = 'a key needs storage, and storage is off',
        detail = 'Without the stored event nothing tells that the key was used before.',
        hint = 'Publish without keys, or switch storage on: select djr.configure(storage => true).';
    end if;
    return query
    select case
      when element.value -> 'store' = 'false' then djr._publish_unstored(
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'type',
        coalesce(element.value -> 'detail', '{}'),
        element.value ->> 'topic'
      )
      else djr._notify_only(
        djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
        element.value ->> 'user_id',
        element.value ->> 'type',
        coalesce(element.value -> 'detail', '{}'),
        element.value ->> 'topic'
      )
    end
    from jsonb_array_elements(publish_many.events) element;
    return;
  end if;

  -- The events are inserted in the order of the array, so their ids have that order.
  _guarded := djr._may_be_kept_out();
  if not _keyed and not _unstored and not _guarded then
    return query
    insert into djr.event (scope, user_id, type, detail, private_data, topic)
    select
      djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      nullif(element.value -> 'private_data', 'null'),
      element.value ->> 'topic'
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    order by element.place
    returning event.id;
    return;
  end if;

  -- Every element gets an id before the insert, so that its id is known whether or not its key was used before.
  select array_agg(nextval('djr.event_id_seq')) into _ids from generate_series(1, jsonb_array_length(publish_many.events));

  -- A transaction that inserts a key makes others that insert the same key wait. All insert in the order of the keys, so no two
  -- transactions wait for each other.
  loop
    insert into djr.event (id, scope, user_id, type, detail, private_data, key, topic)
    overriding system value
    select
      _ids[element.place],
      djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      nullif(element.value -> 'private_data', 'null'),
      element.value ->> 'key',
      element.value ->> 'topic'
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    where element.value -> 'store' is distinct from 'false'
      and (
        not _again
        or (
          element.value ->> 'key' is not null
          and not exists (select from djr.event where event.key = element.value ->> 'key')
        )
      )
    order by element.value ->> 'key' collate "C" nulls first, element.place
    on conflict (key) where event.key is not null do nothing;

    select
      array_agg(coalesce(event.id, _ids[element.place]) order by element.place),
      bool_or(event.id is null and element.value ->> 'key' is not null),
      min(element.place) filter (
        where event.scope <> djr._scope(element.value ->> 'scope', element.value ->> 'topic')
          or event.type <> element.value ->> 'type'
          or event.user_id is distinct from element.value ->> 'user_id' and event.id is not null
          or event.topic is distinct from element.value ->> 'topic' and event.id is not null
      ) - 1
    into _found, _again, _index
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    left join djr.event on event.key = element.value ->> 'key';
    -- If an element with a key has no event now, the event that had the key was pruned between the two statements. The key is free
    -- again, so the insert is repeated. Or a trigger of the app keeps the row out, and would do so again.
    exit when not _again or _guarded;
  end loop;

  if _index is not null then
    perform djr._refuse_key(publish_many.events -> _index::integer ->> 'key', format('events[%s]: ', _index));
  end if;
  if _guarded then
    -- The id of an event without a row is null.
    select array_agg(
      case
        when element.value -> 'store' = 'false' or exists (select from djr.event where event.id = _found[element.place])
          then _found[element.place]
      end
      order by element.place
    )
    into _found
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place);
  end if;
  if _unstored then
    _found := djr._publish_many_unstored(publish_many.events, _found);
  end if;
  return query
  select unnest(_found);
end
$$;

comment on function djr.publish_many(jsonb) is
  'Publishes an array of {scope, user_id, topic, type, detail, private_data, key, store} in one statement with few NOTIFYs and returns their ids in order. An element without a scope has scope topic if it has a topic, otherwise user, so that a forgotten user_id is an error and not an event for everyone. A key of another event is refused (DJR12), also if that event is in the same call. If one event is refused, none is published; the error names it, as in events[3].';
--! EndIncluded functions/public/publish_many.sql
--! Included functions/internal/_type_form.sql
-- How djr._row_value has to treat a type. It goes by oids and not by names, which the app could have given to types of its own: types
-- with an oid below 16384 came with the cluster.
create or replace function djr._type_form(
  type oid
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _base pg_type;
  _element oid;
begin
  select pg_type.* into _base from pg_type where pg_type.oid = djr._base_type(_type_form.type);
  select pg_type.oid into _element from pg_type where pg_type.typarray = _base.oid;
  return case
    when _base.oid = 'json'::regtype then 'json'
    when _base.typtype = 'c' then 'composite'
    when _element is not null and djr._type_form(_element) <> 'plain' then 'array'
    when _element is not null or _base.oid < 16384 then 'plain'
    else 'text'
  end;
end
$$;

comment on function djr._type_form(oid) is
  'How a value of this type becomes JSON safely. plain: by to_jsonb; json, composite, array: it has to be taken apart; text: only by its output function. Internal.';
--! EndIncluded functions/internal/_type_form.sql
--! Included functions/internal/_json_value.sql
-- jsonb cannot hold \u0000, half a surrogate pair, or a number with more than 131,072 digits; json can.
create or replace function djr._json_value(
  value text
) returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return _json_value.value::jsonb;
exception
  when untranslatable_character or invalid_text_representation or numeric_value_out_of_range then
    return to_jsonb(_json_value.value);
end
$$;

comment on function djr._json_value(text) is
  'JSON as jsonb, or as a text where jsonb cannot hold it. Internal.';
--! EndIncluded functions/internal/_json_value.sql
--! Included functions/internal/_row_object.sql
-- jsonb_build_object takes at most 100 arguments, which is fifty members, so larger objects are made of several.
create or replace function djr._row_object(
  pairs text[]
) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _object text := 'pg_catalog.jsonb_build_object(' || array_to_string(_row_object.pairs[:50], ', ') || ')';
begin
  if cardinality(_row_object.pairs) > 50 then
    _object := _object || ' operator(pg_catalog.||) ' || djr._row_object(_row_object.pairs[51:]);
  end if;
  return _object;
end
$$;

comment on function djr._row_object(text[]) is
  'An SQL expression that builds a JSON object from a list in which expressions of names and values alternate. Internal.';
--! EndIncluded functions/internal/_row_object.sql
--! Included functions/internal/_row_value.sql
-- Builds an SQL expression that converts a value as to_jsonb does. `value` is an expression of the type `type`.
--
-- djr.publish_row runs with the rights of djr's owner, so no expression may call code that a type's owner wrote. to_jsonb calls a cast
-- to json of any type that is not built in, wherever it finds one: in arrays, domains and composite types, too. A check for such a
-- cast would not help, because another session can create one right after it. Output functions are safe, because only a superuser
-- can create base types. Hence:
-- - built-in types, domains over them, and arrays of both go through to_jsonb as they are;
-- - a value of any other type becomes its output text; concat() calls the output function, where a cast could be somebody's code;
-- - an array of such values becomes an array of their texts: array_out and array_in agree on what a text[] is;
-- - a composite value is taken apart. Another session can change the type of a member at any time (unlike the type of a column in
--   use), so a member goes through to_jsonb only if it still has the built-in type that was read here;
-- - json may hold a value that jsonb cannot, such as \u0000, and the app's own write must not fail for it.
create or replace function djr._row_value(
  value text,
  type oid,
  is_member boolean default false
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _form text := djr._type_form(_row_value.type);
  _base oid := djr._base_type(_row_value.type);
  _element pg_type;
  _pairs text[];
begin
  if _form = 'plain' and not _row_value.is_member then
    return format('pg_catalog.to_jsonb(%s)', _row_value.value);
  elsif _form = 'plain' then
    return format(
      '(select case when pg_catalog.pg_typeof(_v.v) operator(pg_catalog.=) %L::pg_catalog.regtype '
        'then pg_catalog.to_jsonb(_v.v) else pg_catalog.to_jsonb(pg_catalog.concat(_v.v)) end '
        'from (select %s as v offset 0) _v)',
      _row_value.type, _row_value.value
    );
  end if;

  if _form = 'composite' then
    select array_agg(
      format(
        '%L, %s',
        replace(pg_attribute.attname, '%', '%%'),
        djr._row_value(
          format('(%s).%s', _row_value.value, replace(quote_ident(pg_attribute.attname), '%', '%%')),
          pg_attribute.atttypid,
          true
        )
      )
      order by pg_attribute.attnum
    )
    into _pairs
    from pg_type
    join pg_attribute on pg_attribute.attrelid = pg_type.typrelid
    where pg_type.oid = _base
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped;
    return format(
      'case when (%1$s) is not distinct from null then null else %2$s end',
      _row_value.value, djr._row_object(coalesce(_pairs, '{}'))
    );
  end if;

  select pg_type.* into _element from pg_type where pg_type.typarray = _base;
  return format(
    case
      when _form = 'json' then 'djr._json_value(%2$s)'
      when _form = 'text' or _element.typdelim <> ',' then 'pg_catalog.to_jsonb(%2$s)'
      when djr._type_form(_element.oid) = 'text' then 'pg_catalog.to_jsonb((%2$s)::pg_catalog.text[])'
      -- An array of more than one dimension: its elements become texts.
      else 'case when (%1$s) is not distinct from null then null '
        'when pg_catalog.array_ndims(%1$s) operator(pg_catalog.>) 1 then pg_catalog.to_jsonb((%2$s)::pg_catalog.text[]) '
        'else (select coalesce(pg_catalog.jsonb_agg(%3$s), ''[]'') from (select pg_catalog.unnest(%1$s) as e) _e) end'
    end,
    _row_value.value,
    format(
      'case when (%1$s) is distinct from null then pg_catalog.concat(%1$s) end',
      _row_value.value
    ),
    case when _form = 'array' then djr._row_value('_e.e', _element.oid, _row_value.is_member) end
  );
end
$$;

comment on function djr._row_value(text, oid, boolean) is
  'An SQL expression that converts a value to jsonb as to_jsonb does, but without calling code of the type''s owner: such a value becomes its output text. Internal.';
--! EndIncluded functions/internal/_row_value.sql
--! Included functions/internal/_row_id.sql
-- JSON.parse in a browser reads 9007199254740993 as ...992, so two rows would share one event name `djr:TYPE:ID`: such a number is sent
-- as a text. So is an object, whose name would be "[object Object]".
-- Plain SQL without SET, so that the planner inlines it.
create or replace function djr._row_id(
  id jsonb
) returns jsonb
language sql
immutable
as $$
  select case
    when pg_catalog.jsonb_typeof(_row_id.id) operator(pg_catalog.=) any (array['string', 'boolean']) then _row_id.id
    when pg_catalog.jsonb_typeof(_row_id.id) operator(pg_catalog.=) 'null' then null
    when pg_catalog.jsonb_typeof(_row_id.id) operator(pg_catalog.=) 'number' then case
      when pg_catalog.trunc((_row_id.id)::pg_catalog.numeric) operator(pg_catalog.=) (_row_id.id)::pg_catalog.numeric
        and pg_catalog.abs((_row_id.id)::pg_catalog.numeric) operator(pg_catalog.<=) 9007199254740991
        then _row_id.id
      else pg_catalog.to_jsonb((_row_id.id)::pg_catalog.text)
    end
    else pg_catalog.to_jsonb((_row_id.id)::pg_catalog.text)
  end
$$;

comment on function djr._row_id(jsonb) is
  'The value of a row''s :id: a text unless it is a safe integer of JavaScript (at most 2^53 - 1) or a boolean. Internal.';
--! EndIncluded functions/internal/_row_id.sql
--! Included functions/internal/_row_names.sql
-- Names are written exactly as in the table, with their capital letters. A name in double quotes, as in SQL, may contain a comma.
create or replace function djr._row_names(
  list text
) returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    array_agg(
      case
        when listed.name like '"%"' and length(listed.name) > 1
          then replace(substr(listed.name, 2, length(listed.name) - 2), '""', '"')
        else listed.name
      end
      order by listed.place
    ),
    '{}'
  )
  from (
    select btrim(found.part[1], E' \t\r\n') as name, found.place
    from regexp_matches(_row_names.list, E'\\s*("(?:[^"]|"")*"(?=\\s*(?:,|$))|[^,]+)', 'g') with ordinality found (part, place)
  ) listed
  where listed.name <> ''
$$;

comment on function djr._row_names(text) is
  'The names in a list of columns, some of them in double quotes. Internal.';
--! EndIncluded functions/internal/_row_names.sql
--! Included functions/internal/_row_audience.sql
-- Parses the second argument of djr.publish_row into a list in which texts and names of columns alternate. A column of users makes
-- {"", user_id}, topic:room:{room_id} makes {"room:", room_id, ""}, and an empty argument makes null: the event is for everyone.
create or replace function djr._row_audience(
  name text,
  relation regclass,
  argument text
) returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _argument text := btrim(_row_audience.argument, E' \t\r\n');
  _template text;
  _place constant text := E'\\{\\s*("(?:[^"]|"")*"|[^{}"]+)\\s*\\}';
  _texts text[];
  _columns text[];
  _audience text[];
begin
  if coalesce(_argument, '') = '' then
    return null;
  elsif _argument like '"%' then
    return array['', (djr._row_names(_argument))[1]];
  elsif _argument not like 'topic:%' then
    return array['', _argument];
  end if;

  _template := substr(_argument, 7);
  _texts := regexp_split_to_array(_template, _place);
  _columns := array(
    select case when found.part[1] like '"%' then (djr._row_names(found.part[1]))[1] else btrim(found.part[1], E' \t\r\n') end
    from regexp_matches(_template, _place, 'g') with ordinality found (part, place)
    order by found.place
  );
  if array_to_string(_texts, '') ~ '[{}]' or '' = any(_columns) or array_position(_columns, null) is not null then
    perform djr._refuse_trigger(
      _row_audience.name,
      _row_audience.relation,
      format('A topic must have names of columns in braces, as in topic:room:{room_id}; it is %s.', to_json(_argument))
    );
  elsif _columns = '{}' and _template = '' or djr._is_topic(nullif(array_to_string(_texts, ''), '')) is not true then
    perform djr._refuse_trigger(
      _row_audience.name,
      _row_audience.relation,
      format(
        'A topic must have 1 to 255 characters, no white space and no control characters; it is %s.', to_json(_argument)
      )
    );
  end if;

  for _part in 1 .. cardinality(_texts) loop
    _audience := _audience || _texts[_part] || _columns[_part];
  end loop;
  -- The loop appended a column after the last text as well, where there is none.
  return trim_array(_audience, 1);
end
$$;

comment on function djr._row_audience(text, regclass, text) is
  'The second argument of djr.publish_row as texts and names of columns by turns; null for everyone. DJR08 for a topic that can be none. Internal.';
--! EndIncluded functions/internal/_row_audience.sql
--! Included functions/internal/_row_audience_value.sql
-- Takes the list of djr._row_audience, in which djr._row_columns has replaced the names of columns by expressions.
create or replace function djr._row_audience_value(
  parts text[]
) returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when _row_audience_value.parts is null then 'null::pg_catalog.text'
    -- A user. djr._row_events publishes nothing if it is null or empty.
    when cardinality(_row_audience_value.parts) = 2 then _row_audience_value.parts[2]
    else (
      select string_agg(
        case
          -- The whole expression goes through format(), so a % in a text is doubled.
          when part.place % 2 = 1 then replace(quote_literal(part.value), '%', '%%') || '::pg_catalog.text'
          -- A row with a null or empty room_id belongs to no topic, rather than to the topic "room:".
          else format('(select case when _c.c operator(pg_catalog.<>) '''' then _c.c end from (select %s as c offset 0) _c)', part.value)
        end,
        ' operator(pg_catalog.||) '
        order by part.place
      )
      from unnest(_row_audience_value.parts) with ordinality part (value, place)
    )
  end
$$;

comment on function djr._row_audience_value(text[]) is
  'An expression for the user or the topic of a row: null where a column of the topic is null or empty. Internal.';
--! EndIncluded functions/internal/_row_audience_value.sql
--! Included functions/internal/_row_columns.sql
-- The first migrations made these.
drop function if exists djr._row_columns(regclass, text[]);
drop function if exists djr._row_columns(regclass, text[], text, text);

-- Returns three SQL expressions of a row as a format string, in which %1$s stands for the row. They are built anew whenever a trigger
-- fires, because any session could write to the places that could keep them (settings, prepared statements, temporary tables). For
-- speed one query reads the catalogs, and the common types are handled here; djr._row_value handles the others.
create or replace function djr._row_columns(
  relation regclass,
  columns text[],
  audience text[],
  id_column text
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The list of djr._row_audience, in which texts and names of columns alternate. The names are replaced by expressions below.
  _audience text[] := _row_columns.audience;
  _audience_columns text[] := array(
    select listed.name
    from unnest(_row_columns.audience) with ordinality listed (name, place)
    where listed.place % 2 = 0
  );
  _wanted text[] := array_remove(_row_columns.columns || _audience_columns || _row_columns.id_column, null);
  _id_number smallint;
  _name text;
  _type oid;
  _number smallint;
  _is_virtual boolean;
  _is_plain boolean;
  _reference text;
  _value text;
  _value_text text;
  _found text[] := '{}';
  _pairs text[] := '{}';
  _id text := 'null::pg_catalog.jsonb';
begin
  if _row_columns.id_column is null then
    select pg_index.indkey[0]
    into _id_number
    from pg_index
    where pg_index.indrelid = _row_columns.relation
      and pg_index.indisprimary
      and pg_index.indnkeyatts = 1;
  end if;

  for _name, _type, _number, _is_virtual in
    select pg_attribute.attname, pg_attribute.atttypid, pg_attribute.attnum, pg_attribute.attgenerated = 'v'
    from pg_attribute
    where pg_attribute.attrelid = _row_columns.relation
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped
  loop
    continue when not _name = any(_wanted) and _number is distinct from _id_number;
    if _is_virtual then
      raise exception using
        errcode = 'DJR08',
        message = format('column %s of table %s is a virtual generated column', to_json(_name), _row_columns.relation),
        detail = 'A trigger with djr.publish_row names it, and PostgreSQL gives no trigger the values of virtual columns.',
        hint = 'Declare it as stored, or leave it out and let the client fetch it.';
    end if;
    _found := _found || _name;
    _reference := '%1$s.' || replace(quote_ident(_name), '%', '%%');
    -- Types with an oid from 16384 on are not built in. json may hold a value that jsonb cannot.
    _is_plain := _type < 16384 and _type not in ('json'::regtype, 'json[]'::regtype);
    _value := case
      when _is_plain then 'pg_catalog.to_jsonb(' || _reference || ')'
      else djr._row_value(_reference, _type)
    end;
    if _name = any(_row_columns.columns) then
      -- jsonb_build_object converts a built-in type as to_jsonb does.
      _pairs := _pairs || (
        replace(quote_literal(_name), '%', '%%') || ', ' || case when _is_plain then _reference else _value end
      );
    end if;
    if _name = any(_audience_columns) then
      _value_text := case
        -- The same text that djr.publish(column, ...) makes of the column: char(n) loses its trailing blanks. Nobody can replace the cast
        -- of a built-in type.
        when _type < 16384 or djr._base_type(_type) < 16384 then '(' || _reference || ')::pg_catalog.text'
        else format('case when (%1$s) is distinct from null then pg_catalog.concat(%1$s) end', _reference)
      end;
      for _place in 1 .. cardinality(_audience_columns) loop
        if _audience_columns[_place] = _name then
          _audience[2 * _place] := _value_text;
        end if;
      end loop;
    end if;
    if _name = _row_columns.id_column or _number = _id_number then
      _id := case
        -- smallint, integer, uuid, text, varchar and char(n): none of their values is a number too large for JavaScript.
        when _type in (21, 23, 2950, 25, 1043, 1042) then _value
        else 'djr._row_id(' || _value || ')'
      end;
    end if;
  end loop;

  if not _found @> _wanted then
    select listed.name
    into _name
    from unnest(_wanted) listed (name)
    where listed.name <> all(_found)
    limit 1;
    raise exception using
      errcode = 'DJR08',
      message = format('table %s has no column %s', _row_columns.relation, to_json(_name)),
      detail = 'A trigger with djr.publish_row names it.',
      hint = 'djr.publish_row(type, column of the user, topic:room:{column} or '''', columns to send, column of the id): name columns as the table has them, capitals and all.';
  end if;
  return case
    when cardinality(_pairs) <= 50 then 'pg_catalog.jsonb_build_object(' || array_to_string(_pairs, ', ') || ')'
    else djr._row_object(_pairs)
  end || ', ' || djr._row_audience_value(_audience) || ', ' || _id;
end
$$;

comment on function djr._row_columns(regclass, text[], text[], text) is
  'Three SQL expressions as a format string with %1$s for the row: the named columns as a JSON object, the user or the topic as a text, and the value of :id, which is the primary key unless id_column names another column. DJR08 for a column that does not exist or that no trigger can read. Internal.';
--! EndIncluded functions/internal/_row_columns.sql
--! Included functions/internal/_row_brief.sql
-- djr._row_events calls it for large details only.
-- The first migrations made it for users only.
drop function if exists djr._row_brief(text, text, jsonb);

create or replace function djr._row_brief(
  type text,
  audience text,
  detail jsonb
) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The bytes that a message has left for the detail, beside the type and the audience. The values that djr itself puts into the header
  -- take 110 bytes at most, including the null and the comma of an event with a topic.
  _room integer := coalesce(
      (select case when settings.storage then settings.max_bytes else 7999 end from djr.settings), 7999
    )
    - 110
    - octet_length(to_json(_row_brief.type)::text)
    - coalesce(octet_length(to_json(_row_brief.audience)::text), 0);
  _brief jsonb;
begin
  if octet_length(_row_brief.detail::text) <= _room then
    return _row_brief.detail;
  end if;
  _brief := jsonb_strip_nulls(jsonb_build_object(
    ':id', _row_brief.detail -> ':id',
    ':old_id', _row_brief.detail -> ':old_id',
    'op', _row_brief.detail -> 'op',
    'truncated', true
  ));
  if octet_length(_brief::text) > _room then
    _brief := _brief - '{:id,:old_id}'::text[];
  end if;
  return _brief;
end
$$;

comment on function djr._row_brief(text, text, jsonb) is
  'The detail of a row''s event if it fits into a message; otherwise only :id, :old_id, op and truncated, and if even the ids are too large, only op and truncated. Internal.';
--! EndIncluded functions/internal/_row_brief.sql
--! Included functions/internal/_row_misfit.sql
-- The first migrations made it for users only.
drop function if exists djr._row_user_too_long(text, text, boolean);

create or replace function djr._row_misfit(
  scope text,
  type text,
  audience text,
  refuse boolean
) returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _row_misfit.refuse then
    perform djr._validate(
      _row_misfit.scope,
      case when _row_misfit.scope = 'user' then _row_misfit.audience end,
      _row_misfit.type,
      '{}',
      null,
      '',
      case when _row_misfit.scope = 'topic' then _row_misfit.audience end
    );
  elsif _row_misfit.scope = 'user' then
    raise warning using
      errcode = 'DJR03',
      message = format('the event "%s" of a row is not published', _row_misfit.type),
      detail = format('Its user_id has %s characters, and no stream is of a user with more than 255.', length(_row_misfit.audience)),
      hint = 'Name the column by which your login knows the user; with ''refuse'' as fifth argument djr.publish_row makes it an error.';
  else
    raise warning using
      errcode = 'DJR18',
      message = format('the event "%s" of a row is not published', _row_misfit.type),
      detail = format(
        'A topic must have 1 to 255 characters, no white space and no control characters; it has %s: %s.',
        length(_row_misfit.audience),
        to_json(left(_row_misfit.audience, 255))
      ),
      hint = 'Name the column of an id in the topic; with ''refuse'' as fifth argument djr.publish_row makes it an error.';
  end if;
  return false;
end
$$;

comment on function djr._row_misfit(text, text, text, boolean) is
  'For a row whose user or topic no event can have: raises DJR03 or DJR18 with refuse, otherwise warns and returns false. Internal.';
--! EndIncluded functions/internal/_row_misfit.sql
--! Included functions/internal/_row_members.sql
-- Plain SQL without SET, so that the planner inlines it. The common case, an id that did not change, takes the fewest calls.
create or replace function djr._row_members(
  op text,
  id jsonb,
  old_id jsonb
) returns jsonb
language sql
stable
as $$
  select case
    when old_id is not null then pg_catalog.jsonb_strip_nulls(
      pg_catalog.jsonb_build_object('op', op, ':id', id, ':old_id', old_id)
    )
    when id is null then pg_catalog.jsonb_build_object('op', op)
    else pg_catalog.jsonb_build_object('op', op, ':id', id)
  end
$$;

comment on function djr._row_members(text, jsonb, jsonb) is
  'The members that the detail of a row''s event has beside its columns: op, :id and, after a change of the id, :old_id. Internal.';
--! EndIncluded functions/internal/_row_members.sql
--! Included functions/internal/_row_events.sql
-- The only place that decides which events a changed row makes, and for whom; triggers for each row and for each statement both use it.
-- Plain SQL without SET, so that the planner inlines it. An audience here is the name of a user or of a topic, as the scope says.
-- The first migrations made it for users only.
drop function if exists djr._row_events(text, text, text, boolean, jsonb, text, jsonb, jsonb, text, jsonb);

create or replace function djr._row_events(
  op text,
  scope text,
  type text,
  refuse boolean,
  before jsonb,
  before_audience text,
  before_id jsonb,
  after jsonb,
  after_audience text,
  after_id jsonb
) returns table (part integer, audience text, detail jsonb)
language sql
stable
rows 1
as $$
  select
    event.part,
    event.audience,
    case
      when refuse or pg_catalog.octet_length(event.detail::pg_catalog.text) operator(pg_catalog.<=) 5500 then event.detail
      else djr._row_brief(type, event.audience, event.detail)
    end
  from (
    -- If an update gives the row to another user or topic, the old one gets a delete, under the id that it knows the row by.
    select
      1 as part,
      before_audience as audience,
      before operator(pg_catalog.||) djr._row_members('delete', before_id, null) as detail
    where op operator(pg_catalog.=) 'update'
      and scope operator(pg_catalog.<>) 'public'
      and before_audience operator(pg_catalog.<>) ''
      and not coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
    union all
    select
      2,
      case when scope operator(pg_catalog.<>) 'public' then case when op operator(pg_catalog.=) 'delete' then before_audience else after_audience end end,
      case when op operator(pg_catalog.=) 'delete' then before else after end
        operator(pg_catalog.||) djr._row_members(
          op,
          case when op operator(pg_catalog.=) 'delete' then before_id else after_id end,
          -- The old id is only for a user or topic that had the row under it.
          case
            when op operator(pg_catalog.=) 'update'
              and not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
              and coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
              then before_id
          end
        )
    -- A row without a user, such as a guest's order, makes no event; above all none for everyone.
    where (scope operator(pg_catalog.=) 'public' or case when op operator(pg_catalog.=) 'delete' then before_audience else after_audience end operator(pg_catalog.<>) '')
      and (
        op operator(pg_catalog.<>) 'update'
        or not coalesce(before operator(pg_catalog.=) after, before is null and after is null)
        or not coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
        or not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
      )
  ) event
  where case
    when pg_catalog.length(event.audience) operator(pg_catalog.>) 255
      or scope operator(pg_catalog.=) 'topic' and not djr._is_topic(event.audience)
      then djr._row_misfit(scope, type, event.audience, refuse)
    else true
  end
$$;

comment on function djr._row_events(text, text, text, boolean, jsonb, text, jsonb, jsonb, text, jsonb) is
  'The events of one row for which djr.publish_row fired, from op and from the columns, the audience (user or topic) and the id before and after. Internal.';
--! EndIncluded functions/internal/_row_events.sql
--! Included functions/internal/_row_statement.sql
-- Builds a query for the events of a statement's rows, in the order of the rows. The query has no WITH: a name in it could hide the
-- transition tables, whose names the app chose.
--
-- PostgreSQL appends the old and the new row of an update to the two transition tables in one step, so both have the same place in
-- their tables, and they are matched by place even if the id changed. If an old row has no new one (a trigger of a partition refused
-- the row that was to move there), places do not match: then by_place is false, and rows are matched by their ids.
create or replace function djr._row_statement(
  old_table name,
  new_table name,
  row_columns text,
  by_place boolean,
  op text,
  scope text,
  type text,
  refuse boolean
) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  _side constant text := '(select pg_catalog.row_number() over (), %1$s from %2$I as _row) %3$I (place, columns, audience, id)';
  _columns text := format(_row_statement.row_columns, '_row');
  _before text := format(_side, _columns, coalesce(_row_statement.old_table, 'none'), 'before');
  _after text := format(_side, _columns, coalesce(_row_statement.new_table, 'none'), 'after');
  _absent constant text := 'null::pg_catalog.jsonb, null::pg_catalog.text, null::pg_catalog.jsonb';
begin
  return format(
    'select %1$L as scope, event.audience, %2$L as type, event.detail from %3$s cross join lateral '
      'djr._row_events(%4$s, %1$L, %2$L, %5$L, %6$s, %7$s) event order by %8$s, event.part',
    _row_statement.scope,
    _row_statement.type,
    case _row_statement.op
      when 'insert' then _after
      when 'delete' then _before
      else _before || ' full join ' || _after || ' on ' || case
        when _row_statement.by_place then 'before.place operator(pg_catalog.=) after.place'
        else 'before.id operator(pg_catalog.=) after.id'
      end
    end,
    case
      when _row_statement.op = 'update' and not _row_statement.by_place
        then 'case when after.place is null then ''delete'' when before.place is null then ''insert'' else ''update'' end'
      else quote_literal(_row_statement.op)
    end,
    _row_statement.refuse,
    case when _row_statement.op = 'insert' then _absent else 'before.columns, before.audience, before.id' end,
    case when _row_statement.op = 'delete' then _absent else 'after.columns, after.audience, after.id' end,
    case _row_statement.op
      when 'insert' then 'after.place'
      when 'delete' then 'before.place'
      else 'coalesce(after.place, before.place)'
    end
  );
end
$$;

comment on function djr._row_statement(name, name, text, boolean, text, text, text, boolean) is
  'A query for the events of all rows that a statement changed. Only djr.publish_row can run it, as only the trigger function sees the transition tables. Internal.';
--! EndIncluded functions/internal/_row_statement.sql
--! Included functions/internal/_refuse_trigger.sql
create or replace function djr._refuse_trigger(
  name text,
  relation regclass,
  detail text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR08',
    message = format('trigger %I on %s does not fit djr.publish_row', _refuse_trigger.name, _refuse_trigger.relation),
    detail = _refuse_trigger.detail,
    hint = 'create trigger ... after insert or update or delete on ... for each row execute function djr.publish_row(''type'', ''user_column, topic:room:{column} or empty'', ''columns,to,send''); or, for one of the three, ... after update on ... referencing old table as before new table as after for each statement execute function ....';
end
$$;

comment on function djr._refuse_trigger(text, regclass, text) is
  'Raises DJR08: a trigger of djr.publish_row does not fit its table. Internal.';
--! EndIncluded functions/internal/_refuse_trigger.sql
--! Included functions/public/publish_row.sql
-- Drops a helper that the first migrations created.
drop function if exists djr._publish_row(text, text, text, text[], text, jsonb);

-- SECURITY DEFINER, so that a role that may change the row needs no right to publish. The formats of dates and numbers are fixed and not
-- the session's: otherwise two sessions could write the id of one row, or of one user, in two ways.
create or replace function djr.publish_row() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
-- No query here runs long enough for just-in-time compilation to pay.
set jit = off
-- The plans do not depend on the row, so none is made anew for each row.
set plan_cache_mode = force_generic_plan
as $$
declare
  _type text := tg_argv[0];
  _op text := lower(tg_op);
  _columns text[];
  _audience text[];
  _id_column text;
  _scope text;
  _refuse boolean;
  _row text;
  _old_table name;
  _new_table name;
  -- Whether the old and the new rows of an update are matched by their positions in the transition tables; otherwise by their ids.
  _by_place boolean := true;
  _query text;
  _before jsonb;
  _before_audience text;
  _before_id jsonb;
  _after jsonb;
  _after_audience text;
  _after_id jsonb;
begin
  if tg_when <> 'AFTER' or tg_op = 'TRUNCATE' or tg_nargs not between 3 and 5 then
    perform djr._refuse_trigger(
      tg_name,
      tg_relid,
      format('It is %s %s for each %s with %s arguments.', lower(tg_when), _op, lower(tg_level), tg_nargs)
    );
  end if;
  _refuse := case coalesce(nullif(trim(tg_argv[4]), ''), 'truncate') when 'truncate' then false when 'refuse' then true end;
  if _refuse is null then
    perform djr._refuse_trigger(
      tg_name, tg_relid, format('The fifth argument must be truncate or refuse; it is %s.', to_json(tg_argv[4]))
    );
  end if;
  if djr._is_valid(null, _type, '{}') is not true then
    perform djr._validate('public', null, _type, '{}', null, '', null);
  end if;

  -- The scope follows from the form of the second argument. null: everyone. Two elements: a column of users. Any odd number of elements:
  -- a topic.
  _audience := djr._row_audience(tg_name, tg_relid, tg_argv[1]);
  _scope := case when _audience is null then 'public' when cardinality(_audience) = 2 then 'user' else 'topic' end;

  _columns := case
    when strpos(tg_argv[2], '"') > 0 then djr._row_names(tg_argv[2])
    else array_remove(regexp_split_to_array(trim(tg_argv[2]), E'\\s*,\\s*'), '')
  end;
  if _columns && '{op,:id,:old_id,truncated}' then
    perform djr._refuse_trigger(
      tg_name, tg_relid, 'It sends a column op, :id, :old_id or truncated: each detail has one of its own that says something else.'
    );
  end if;
  _id_column := case when tg_argv[3] like '"%"' then (djr._row_names(tg_argv[3]))[1] else nullif(trim(tg_argv[3]), '') end;
  _row := djr._row_columns(tg_relid, _columns, _audience, _id_column);

  if tg_level = 'STATEMENT' then
    select pg_trigger.tgoldtable, pg_trigger.tgnewtable
    into _old_table, _new_table
    from pg_trigger
    where pg_trigger.tgrelid = tg_relid
      and pg_trigger.tgname = tg_name;
    if tg_op <> 'INSERT' and _old_table is null or tg_op <> 'DELETE' and _new_table is null then
      perform djr._refuse_trigger(
        tg_name,
        tg_relid,
        format(
          'It is for each statement, without referencing %s, so that it cannot see the rows.',
          case tg_op when 'INSERT' then 'new table' when 'DELETE' then 'old table' else 'old table and new table' end
        )
      );
    end if;
    if tg_op = 'UPDATE' then
      execute format(
        'select (select pg_catalog.count(*) from %I) operator(pg_catalog.=) (select pg_catalog.count(*) from %I)',
        _old_table, _new_table
      )
      into _by_place;
    end if;
    _query := djr._row_statement(_old_table, _new_table, _row, _by_place, _op, _scope, _type, _refuse);
    -- While storage is off, events are published without rows.
    if (select settings.storage from djr.settings) then
      execute format('insert into djr.event (scope, %I, type, detail) ', case _scope when 'topic' then 'topic' else 'user_id' end) || _query;
    else
      execute format(
        'select djr._publish(event.scope, %s, event.type, event.detail, null, null, %s, true) from (%s) event',
        case _scope when 'topic' then 'null' else 'event.audience' end,
        case _scope when 'topic' then 'event.audience' else 'null' end,
        _query
      );
    end if;
    return null;
  end if;

  if tg_op = 'INSERT' then
    execute 'select ' || format(_row, '($1)') into _after, _after_audience, _after_id using new;
  elsif tg_op = 'DELETE' then
    execute 'select ' || format(_row, '($1)') into _before, _before_audience, _before_id using old;
  else
    execute 'select ' || format(_row, '($1)') || ', ' || format(_row, '($2)')
    into _before, _before_audience, _before_id, _after, _after_audience, _after_id
    using old, new;
  end if;

  insert into djr.event (scope, user_id, topic, type, detail)
  select
    _scope,
    case when _scope <> 'topic' then event.audience end,
    case when _scope = 'topic' then event.audience end,
    _type,
    event.detail
  from djr._row_events(
    _op, _scope, _type, _refuse, _before, _before_audience, _before_id, _after, _after_audience, _after_id
  ) event
  where (select settings.storage from djr.settings);
  -- While storage is off, events are published without rows.
  if not found and (select settings.storage from djr.settings) is not true then
    perform djr._publish(
      _scope,
      case when _scope <> 'topic' then event.audience end,
      _type,
      event.detail,
      null,
      null,
      case when _scope = 'topic' then event.audience end,
      true
    )
    from djr._row_events(
      _op, _scope, _type, _refuse, _before, _before_audience, _before_id, _after, _after_audience, _after_id
    ) event;
  end if;
  return null;
end
$$;

comment on function djr.publish_row() is
  'A trigger function for any table: after insert or update or delete ... for each row execute function djr.publish_row(type, user column, topic:room:{column} for a topic, or '''' for everyone, columns to send, id column, truncate or refuse). For statements of many rows declare it for each statement instead, a trigger for each of insert, update and delete, with referencing old table as ... new table as .... detail has the columns as to_jsonb has them, op (insert, update or delete) and :id (the primary key, or the column of the fourth argument), as a text unless it is a safe integer of JavaScript; after a change of the id it has :old_id, too. A topic may name any number of columns in braces. Nothing is published for a row without a user, or with a null or empty column of the topic, or when no named column changed. If an update moves the row to another user or topic, the old one gets op delete. For a user or a topic that no event can have there is a warning and no event. A row too large for an event is published as :id, op and truncated: true; with refuse as fifth argument the write fails with DJR05, or DJR03 or DJR18. DJR08 if the trigger does not fit the table.';
--! EndIncluded functions/public/publish_row.sql
--! Included functions/public/replay.sql
-- A replay is a row like any other, so it is durable, and sweeps and resumes find it. Its replay_of tells it from the original.
create or replace function djr.replay(ids bigint[]) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _missing bigint[];
begin
  if not (select settings.storage from djr.settings) then
    raise exception using
      errcode = 'DJR06',
      message = 'a replay needs storage, and storage is off',
      hint = 'Switch it on: select djr.configure(storage => true). Only what was published since then can be replayed.';
  end if;

  select array_agg(wanted.id order by wanted.place)
  into _missing
  from unnest(replay.ids) with ordinality wanted (id, place)
  where not exists (select from djr.event where event.id = wanted.id);
  if _missing is not null then
    raise exception using
      errcode = 'DJR07',
      message = format('there is no event %s', array_to_string(_missing, ', ', 'null')),
      detail = 'It was never stored, was rolled back, or was pruned.',
      hint = 'The events there are: select * from djr.event order by id desc.';
  end if;

  -- An order of djr.disconnect or djr.recheck is not replayed: a user who has logged in again since must not be cut off.
  select array_agg(event.id order by event.id)
  into _missing
  from djr.event
  where event.id = any(replay.ids) and event.scope = 'control';
  if _missing is not null then
    raise exception using
      errcode = 'DJR07',
      message = format('there is no event %s that can be replayed', array_to_string(_missing, ', ')),
      detail = 'It is an order of djr.disconnect or djr.recheck, which is carried out once.',
      hint = 'Give the order again: select djr.disconnect(...), or select djr.recheck(...).';
  end if;

  return query
  insert into djr.event (scope, user_id, topic, type, detail, private_data, replay_of)
  select
    original.scope,
    original.user_id,
    original.topic,
    original.type,
    original.detail,
    original.private_data,
    coalesce(original.replay_of, original.id)
  from unnest(replay.ids) with ordinality wanted (id, place)
  join djr.event original on original.id = wanted.id
  order by wanted.place
  returning event.id;
end
$$;

comment on function djr.replay(bigint[]) is
  'Sends stored events again, in the order given, and returns the ids of the new events. Their replay_of is the original, for a replay of a replay too. All or nothing (DJR07 names what is missing, or is an order of djr.disconnect or djr.recheck; DJR06 with storage off).';

create or replace function djr.replay(id bigint) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select djr.replay(array[replay.id]));
end
$$;

comment on function djr.replay(bigint) is
  'Sends a stored event again and returns the id of the new event, whose replay_of is the original (DJR07 if there is none, DJR06 with storage off).';
--! EndIncluded functions/public/replay.sql
--! Included functions/runtime/prune_batch.sql
create or replace function djr.prune_batch(
  older_than interval default null,
  batch integer default 5000
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- If an open transaction holds the row of the settings, this fails after 10 s rather than wait for ever in silence.
set lock_timeout = '10s'
as $$
declare
  _older_than interval := coalesce(prune_batch.older_than, (select settings.retention from djr.settings));
  _pruned bigint;
  _expired timestamptz;
  _cutoff timestamptz;
  _limit timestamptz;
  -- The consumers for which another transaction is at work; null if there are no consumers.
  _busy integer[];
begin
  if prune_batch.older_than < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = format('older_than must not be negative (it is %s)', prune_batch.older_than),
      detail = format('It is %s.', prune_batch.older_than),
      hint = 'For example ''30 days''.';
  elsif prune_batch.batch is null or prune_batch.batch < 1 then
    raise exception using
      errcode = 'DJR10',
      message = format('batch must be at least 1 (it is %s)', coalesce(prune_batch.batch::text, 'null')),
      detail = format('It is %s.', coalesce(prune_batch.batch::text, 'null')),
      hint = 'Leave it out for the default of 5000.';
  end if;
  if _older_than is null then
    -- While storage is off only orders are stored. After an hour they have long been carried out, so they are deleted.
    delete from djr.event
    using djr.settings
    where not settings.storage
      and event.replay_of = 0
      and event.created_at < clock_timestamp() - interval '1 hour';
    -- Without a retention and without an argument, events are kept for ever.
    return 0;
  end if;

  _expired := clock_timestamp() - _older_than;
  _cutoff := _expired;
  if exists (select from djr._consumer) then
    select awaited.cutoff, awaited.busy into _cutoff, _busy from djr._consumer_cutoff(_expired) awaited;
    select coalesce(clock_timestamp() - settings.consumer_retention, '-infinity') into _limit from djr.settings;
  end if;

  with expired as (
    select event.id
    from djr.event
    where event.created_at < _cutoff
      -- An event that committed late may be older than the cutoff, so each event is checked against every place as well.
      and (
        _busy is null
        or not exists (
          select
          from djr._consumer_place place
          where djr._is_awaited(place.frontier, place.upto, place.last_id, event.xid, event.id)
            and (event.created_at >= _limit or place.consumer = any (_busy))
        )
      )
    order by event.created_at
    limit prune_batch.batch
    -- Rows that another pruner has locked are left to it, so that neither waits.
    for update skip locked
  ),
  deleted as (
    delete from djr.event
    using expired
    where event.id = expired.id
    returning event.id
  )
  -- The trigger event_forget records in the settings up to which transaction events are gone.
  select count(*)
  into _pruned
  from deleted;

  if _pruned = 0 then
    -- Activity of events that are long gone: a transaction that deleted them did not see activity recorded after its snapshot.
    delete from djr.activity
    where activity.event_id < (select min(event.id) from djr.event);
  end if;
  return _pruned;
end
$$;

comment on function djr.prune_batch(interval, integer) is
  'Deletes the oldest events past the retention (or older than the argument), at most `batch` of them, and returns how many. Events that a consumer has yet to get stay until they are older than the setting consumer_retention; then they are deleted, and that consumer is overtaken (DJR22). Call it until it returns 0, each time in a transaction of its own, as djr prune and the runtime do: no lock is held for long then.';
--! EndIncluded functions/runtime/prune_batch.sql
--! Included functions/internal/_prune_turn.sql
-- The row of the settings serves as the lock: only functions that run with the rights of djr's owner can lock it, and skip locked
-- does not wait.
create or replace function djr._prune_turn(batch integer) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from djr.settings for no key update skip locked;
  if not found then
    return null;
  end if;
  return djr.prune_batch(null, _prune_turn.batch);
end
$$;

comment on function djr._prune_turn(integer) is
  'djr.prune_batch for the runtimes, one of them at a time: null while another prunes, or changes the settings; granted by djr.grant_server. Internal.';
--! EndIncluded functions/internal/_prune_turn.sql
--! Included functions/public/prune.sql
create or replace function djr.prune(older_than interval default null) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _pruned bigint := 0;
  _batch bigint;
begin
  loop
    _batch := djr.prune_batch(prune.older_than, 5000);
    _pruned := _pruned + _batch;
    exit when _batch = 0;
  end loop;
  return _pruned;
end
$$;

comment on function djr.prune(interval) is
  'Deletes all events past the retention (or older than the argument), in the caller''s transaction, and returns how many. For many events use djr.prune_batch, or the command djr prune.';
--! EndIncluded functions/public/prune.sql

--! Included functions/runtime/record_activity.sql
create or replace function djr.record_activity(
  instance text,
  event_ids bigint[],
  statuses text[],
  user_ids text[],
  recipients integer[]
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _recorded bigint;
begin
  with known as materialized (
    select event.id
    from djr.event
    where event.id = any (record_activity.event_ids)
      and (select settings.activity from djr.settings) <> 'off'
    -- The events are locked: a transaction that deletes one of them waits, and then deletes this activity with it. An event that is
    -- being deleted now is left out.
    for key share skip locked
  )
  insert into djr.activity (event_id, status, user_id, recipients, instance)
  select step.event_id, step.status, step.user_id, step.recipients, record_activity.instance
  from unnest(
    record_activity.event_ids,
    record_activity.statuses,
    record_activity.user_ids,
    record_activity.recipients
  ) step (event_id, status, user_id, recipients)
  join known on known.id = step.event_id;
  get diagnostics _recorded = row_count;
  return _recorded;
end
$$;

comment on function djr.record_activity(text, bigint[], text[], text[], integer[]) is
  'Records what became of events, one step an element, and returns how many rows were written. Events without a row, or pruned meanwhile, are left out; with activity off nothing is recorded. The runtime calls it in batches.';
--! EndIncluded functions/runtime/record_activity.sql
--! Included functions/internal/_acknowledge.sql
-- One call for many users: the runtime collects the acknowledgements of all pages and stores them in one statement.
create or replace function djr._acknowledge(
  instance text,
  user_ids text[],
  event_ids bigint[],
  statuses text[]
) returns boolean[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _acknowledged boolean[];
begin
  with wanted as (
    select element.user_id, element.event_id, element.status, element.place
    from unnest(
      _acknowledge.user_ids,
      _acknowledge.event_ids,
      _acknowledge.statuses
    ) with ordinality element (user_id, event_id, status, place)
  ),
  own as materialized (
    select wanted.place, wanted.status, event.id, event.user_id
    from wanted
    join djr.event on event.id = wanted.event_id
    where event.scope = 'user'
      and event.user_id = wanted.user_id
    for key share of event skip locked
  ),
  stored as (
    insert into djr.activity (event_id, status, user_id, instance)
    select distinct own.id, own.status, own.user_id, _acknowledge.instance
    from own
    where (select settings.activity from djr.settings) <> 'off'
    -- All transactions insert in the same order: of two that insert the same rows one waits for the other, and never both.
    order by own.id, own.user_id, own.status
    on conflict do nothing
  )
  select array_agg(own.place is not null order by wanted.place)
  into _acknowledged
  from wanted
  left join own on own.place = wanted.place;
  return coalesce(_acknowledged, '{}');
end
$$;

comment on function djr._acknowledge(text, text[], bigint[], text[]) is
  'Does what djr.acknowledge does, for many users at once, and returns for each element whether it is an event of that user. Granted by djr.grant_server. Internal.';
--! EndIncluded functions/internal/_acknowledge.sql
--! Included functions/public/acknowledge.sql
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
--! EndIncluded functions/public/acknowledge.sql

--! Included functions/internal/_without.sql
create or replace function djr._without(snapshot pg_snapshot, xid xid8) returns pg_snapshot
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select format(
    '%s:%s:%s',
    least(pg_snapshot_xmin(_without.snapshot), _without.xid),
    pg_snapshot_xmax(_without.snapshot),
    (
      select string_agg(listed.xid::text, ',' order by listed.xid)
      from (
        select pg_snapshot_xip(_without.snapshot) as xid
        union
        select _without.xid
      ) listed
    )
  )::pg_snapshot
$$;

comment on function djr._without(pg_snapshot, xid8) is
  'The snapshot with this transaction, which must be below its xmax, among those in progress. Internal.';
--! EndIncluded functions/internal/_without.sql
--! Included functions/internal/_snapshot.sql
-- A snapshot does not list the transaction that takes it, and once later ones have ended it seems to have ended, too. Here it is added
-- to those in progress: otherwise an event that it publishes after its own djr.position or djr.consume would count as seen, and a seal
-- that it made before its own djr.recheck would stay valid.
create or replace function djr._snapshot() returns pg_snapshot
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _now pg_snapshot := pg_current_snapshot();
  _own xid8 := pg_current_xact_id_if_assigned();
begin
  if _own is null or not pg_visible_in_snapshot(_own, _now) then
    return _now;
  end if;
  return djr._without(_now, _own);
end
$$;

comment on function djr._snapshot() is
  'The current snapshot with the calling transaction among those in progress. Internal.';
--! EndIncluded functions/internal/_snapshot.sql
--! Included functions/internal/_new_seal_key.sql
create or replace function djr._new_seal_key() returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- 244 random bits; gen_random_uuid is PostgreSQL's own source of strong random numbers.
  _key bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  _inner bytea := decode(repeat('36', 64), 'hex');
  _outer bytea := decode(repeat('5c', 64), 'hex');
  _made djr.seal_key;
begin
  for _place in 0 .. 31 loop
    _inner := set_byte(_inner, _place, get_byte(_inner, _place) # get_byte(_key, _place));
    _outer := set_byte(_outer, _place, get_byte(_outer, _place) # get_byte(_key, _place));
  end loop;
  lock table djr.seal_key in share row exclusive mode;
  delete from djr.seal_key where not seal_key.newest;
  update djr.seal_key set newest = false;
  insert into djr.seal_key (inner_key, outer_key, id)
  values (_inner, _outer, left(encode(sha256(_outer), 'hex'), 8))
  returning * into _made;
  return _made;
end
$$;

comment on function djr._new_seal_key() is
  'Makes a key that signs all seals from now on. Seals of the previous key stay valid; those of older keys do not. Internal.';

-- Made here and not by the first seal: a transaction that only reads cannot make it, and one that is rolled back would take it along.
do $$
begin
  if not exists (select from djr.seal_key) then
    perform djr._new_seal_key();
  end if;
end
$$;
--! EndIncluded functions/internal/_new_seal_key.sql
--! Included functions/internal/_seal_key.sql
-- Called only if there is no key, as after a restore of the schema alone, or if a seal is valid for longer than any before it.
create or replace function djr._seal_key(seconds integer) returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
begin
  -- One transaction at a time: otherwise two could make a first key, or the lower of two values could be set last.
  lock table djr.seal_key in share row exclusive mode;
  select * into _key from djr.seal_key where seal_key.newest;
  if not found then
    _key := djr._new_seal_key();
  end if;
  if _seal_key.seconds > coalesce(pg_sequence_last_value('djr.seal_longest'), 3600) then
    perform setval('djr.seal_longest', _seal_key.seconds);
  end if;
  return _key;
end
$$;

comment on function djr._seal_key(integer) is
  'The key to sign with, created if there is none. Records for how many seconds the longest seal is valid. Internal.';
--! EndIncluded functions/internal/_seal_key.sql
--! Included functions/internal/_base64url.sql
create or replace function djr._base64url(bytes bytea) returns text
language sql
immutable
as $$
  select pg_catalog.rtrim(
    pg_catalog.translate(pg_catalog.encode(bytes, 'base64'), E'+/\n', '-_'),
    '='
  )
$$;

comment on function djr._base64url(bytea) is
  'Base64 for URLs, without padding (RFC 4648, section 5). Internal.';
--! EndIncluded functions/internal/_base64url.sql
--! Included functions/internal/_seal.sql
-- Makes a seal: djr1.KEY.CONTENT.SIGNATURE. The content, in base64url, is a JSON array of the topic (an array if there are several), the
-- user, the second at which the seal ends, and the snapshot in which it was made. By the snapshot a runtime knows whether djr.recheck
-- revoked the seal: it did if the snapshot does not see the transaction of djr.recheck. The signature is HMAC-SHA256 of all that stands
-- before it; the runtime checks it without a query.
-- The function is STABLE, so it has the snapshot of the calling query, which read who may hear what. A STABLE function cannot write, so
-- another function makes the key.
create or replace function djr._seal(
  topics text[],
  user_id text,
  valid interval
) returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
  _now timestamptz := clock_timestamp();
  _ends timestamptz;
  _seconds integer;
  _longest integer := coalesce(pg_sequence_last_value('djr.seal_longest'), 3600);
  _snapshot pg_snapshot := djr._snapshot();
  _text text;
  _signature bytea;
begin
  -- array_agg returns null for a user who is in no room.
  if coalesce(cardinality(_seal.topics), 0) = 0 then
    return null;
  elsif cardinality(_seal.topics) > 100 then
    raise exception using
      errcode = 'DJR18',
      message = format('a seal must be for at most 100 topics (it is for %s)', cardinality(_seal.topics)),
      hint = 'A stream hears 100 topics at most.';
  end if;
  perform djr._validate_topic(wanted.topic)
  from unnest(_seal.topics) as wanted (topic);
  if length(_seal.user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = format('a user_id must have 1 to 255 characters (it has %s)', length(_seal.user_id)),
      detail = format('It has %s.', length(_seal.user_id)),
      hint = 'Pass the id by which your login knows the user; null seals for everyone who has the seal.';
  elsif _seal.valid is null or _seal.valid <= interval '0' or _seal.valid > interval '31 days' then
    raise exception using
      errcode = 'DJR19',
      message = format(
        'a seal must be valid for more than no time and at most 31 days (it is %s)', coalesce(_seal.valid::text, 'null')
      ),
      detail = format('It is %s.', coalesce(_seal.valid::text, 'null')),
      hint = 'An hour is the default: a page asks for a new one in time.';
  end if;

  _ends := _now + _seal.valid;
  -- Not those of the interval: a month has up to 31 days.
  _seconds := ceil(extract(epoch from _ends - _now));
  select * into _key from djr.seal_key where seal_key.newest;
  if found and _seconds > _longest and current_setting('transaction_read_only')::boolean then
    -- This transaction cannot record it, and without the record a revocation would be forgotten before the seal ends.
    _ends := _now + make_interval(secs => _longest);
  elsif not found or _seconds > _longest then
    _key := djr._seal_key(_seconds);
  end if;

  _text := json_build_array(
    case cardinality(_seal.topics)
      when 1 then to_json((select wanted.topic from unnest(_seal.topics) as wanted (topic)))
      else (select json_agg(wanted.topic) from unnest(_seal.topics) as wanted (topic))
    end,
    _seal.user_id,
    floor(extract(epoch from _ends))::bigint,
    -- A snapshot with very many transactions in progress is too long, so it is replaced by an older, shorter one. A seal that seems to
    -- have seen less is never accepted where it should not be.
    case
      when length(_snapshot::text) <= 200 then _snapshot::text
      else format('%1$s:%1$s:', pg_snapshot_xmin(_snapshot))
    end
  )::text;
  _text := 'djr1.' || _key.id || '.' || djr._base64url(convert_to(_text, 'UTF8'));
  _signature := sha256(_key.outer_key || sha256(_key.inner_key || convert_to(_text, 'UTF8')));
  return _text || '.' || djr._base64url(_signature);
end
$$;

comment on function djr._seal(text[], text, interval) is
  'Makes the seal for every djr.seal; granted by djr.grant_seal. Internal.';
--! EndIncluded functions/internal/_seal.sql
--! Included functions/public/seal.sql
-- An overload for each type that ids of users have, for one topic and for several: the address of a stream has no room for a hundred
-- seals. They are STABLE, so that they have the snapshot of the calling query: djr._seal says why.
create or replace function djr.seal(
  topic text,
  user_id text default null,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id, seal.valid)
$$;

comment on function djr.seal(text, text, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a text, or, with null, for anybody who has it. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id smallint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, smallint, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a smallint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id integer,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, integer, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is an integer. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id bigint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, bigint, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a bigint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id numeric,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], djr._user_of(seal.user_id), seal.valid)
$$;

comment on function djr.seal(text, numeric, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a numeric. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topic text,
  user_id uuid,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(array[seal.topic], seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text, uuid, interval) is
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a uuid. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id text default null,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id, seal.valid)
$$;

comment on function djr.seal(text[], text, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a text, or, with null, for anybody who has it. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id smallint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], smallint, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a smallint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id integer,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], integer, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is an integer. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id bigint,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], bigint, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a bigint. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id numeric,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, djr._user_of(seal.user_id), seal.valid)
$$;

comment on function djr.seal(text[], numeric, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a numeric. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

create or replace function djr.seal(
  topics text[],
  user_id uuid,
  valid interval default '1 hour'
) returns text
language sql
stable
as $$
  select djr._seal(seal.topics, seal.user_id::pg_catalog.text, seal.valid)
$$;

comment on function djr.seal(text[], uuid, interval) is
  'A signed permission to hear several topics, 100 at most (without any it is null), to be handed to a page: for one user, whose id is a uuid. It ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';
--! EndIncluded functions/public/seal.sql
--! Included functions/internal/_authorize_topic_function.sql
create or replace function djr._authorize_topic_function() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _name text;
  _function regprocedure;
begin
  select settings.authorize_topic into _name from djr.settings;
  if _name is null then
    return null;
  end if;
  _function := to_regprocedure(_name || '(text, text)');
  if _function is null then
    raise exception using
      errcode = 'DJR10',
      message = format('the setting authorize_topic must name a function (text, text) returns boolean, and there is no %s(text, text)', _name),
      hint = 'Make the function again, or name another: select djr.configure(authorize_topic => ''app.may_hear'').';
  end if;
  return _name;
end
$$;

comment on function djr._authorize_topic_function() is
  'The qualified name of the function in the setting authorize_topic; null when the setting is empty. Internal.';
--! EndIncluded functions/internal/_authorize_topic_function.sql
--! Included functions/runtime/authorize_topics.sql
-- It sets no search_path, so that the app's function finds its tables as it does in other sessions of this role. Every name here is
-- qualified instead.
create or replace function djr.authorize_topics(
  user_ids text[],
  topics text[],
  out allowed boolean[],
  out failure text
)
language plpgsql
as $$
declare
  _answers boolean[];
  _allowed boolean;
  _function text := djr._authorize_topic_function();
begin
  if _function is null then
    allowed := array(select false from pg_catalog.unnest(authorize_topics.topics));
    return;
  end if;
  begin
    execute pg_catalog.format(
      'select pg_catalog.array_agg(coalesce(%s(asked.user_id, asked.topic), false) order by asked.place)
       from pg_catalog.unnest($1, $2) with ordinality asked (user_id, topic, place)',
      _function
    )
    into _answers
    using authorize_topics.user_ids, authorize_topics.topics;
    allowed := _answers;
    return;
  exception when others or assert_failure then
    -- Each question is asked by itself, so that one at which the app's function fails does not cost the others their answers.
    allowed := '{}';
  end;
  for _place in 1 .. pg_catalog.cardinality(authorize_topics.topics) loop
    begin
      execute pg_catalog.format('select coalesce(%s($1, $2), false)', _function)
      into strict _allowed
      using authorize_topics.user_ids[_place], authorize_topics.topics[_place];
      allowed[_place] := _allowed;
    exception when others or assert_failure then
      allowed[_place] := false;
      failure := sqlerrm;
    end;
  end loop;
end
$$;

comment on function djr.authorize_topics(text[], text[]) is
  'Asks the function in the setting authorize_topic whether each of these users (null: an anonymous one) may hear the topic at the same place in the second array. Null and an error of the function mean no; failure has the message of the last error. The runtime calls it, with its own rights.';
--! EndIncluded functions/runtime/authorize_topics.sql
--! Included functions/internal/_order.sql
-- An order is what djr.disconnect and djr.recheck tell the runtimes to do: a row in djr.event with scope control and a replay_of of 0,
-- neither of which a publisher can write. It is stored even while storage is off, so that a sweep finds it if its NOTIFY was not
-- heard or not sent.
create or replace function djr._order(
  type text,
  user_id text,
  reason text,
  topic text default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _detail jsonb := jsonb_strip_nulls(jsonb_build_object('reason', left(_order.reason, 255), 'topic', _order.topic));
begin
  if _order.user_id is null and _order.type = 'disconnect' or length(_order.user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = format(
        'a user_id must have 1 to 255 characters (it %s)', coalesce('has ' || length(_order.user_id), 'is null')
      ),
      hint = 'Pass the id by which your login knows the user.';
  elsif _order.type not in ('disconnect', 'recheck') or _order.type is null then
    raise exception using
      errcode = 'DJR10',
      message = format('an order must be disconnect or recheck (it is %s)', coalesce(to_json(_order.type)::text, 'null'));
  end if;
  if _order.type = 'recheck' then
    if _order.topic is not null then
      perform djr._validate_topic(_order.topic);
    end if;
    insert into djr.revocation (user_id, topic) values (_order.user_id, _order.topic);
    delete from djr.revocation
    where revocation.created_at < clock_timestamp()
      - make_interval(secs => coalesce(pg_sequence_last_value('djr.seal_longest'), 3600));
  end if;
  insert into djr.event (scope, type, user_id, detail, replay_of)
  values ('control', _order.type, _order.user_id, _detail, 0);
end
$$;

comment on function djr._order(text, text, text, text) is
  'Stores an order to the runtimes and announces it; granted by djr.grant_seal and djr.grant_server. Internal.';
--! EndIncluded functions/internal/_order.sql
--! Included functions/public/disconnect.sql
-- An overload for each type that ids of users have.
create or replace function djr.disconnect(
  user_id text,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id, disconnect.reason)
$$;

comment on function djr.disconnect(text, text) is
  'Ends every open stream of a user, whose id is a text, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id smallint,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(smallint, text) is
  'Ends every open stream of a user, whose id is a smallint, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id integer,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(integer, text) is
  'Ends every open stream of a user, whose id is an integer, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id bigint,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(bigint, text) is
  'Ends every open stream of a user, whose id is a bigint, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id numeric,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', djr._user_of(disconnect.user_id), disconnect.reason)
$$;

comment on function djr.disconnect(numeric, text) is
  'Ends every open stream of a user, whose id is a numeric, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';

create or replace function djr.disconnect(
  user_id uuid,
  reason text default null
) returns void
language sql
as $$
  select djr._order('disconnect', disconnect.user_id::pg_catalog.text, disconnect.reason)
$$;

comment on function djr.disconnect(uuid, text) is
  'Ends every open stream of a user, whose id is a uuid, within a second of the commit. The user''s pages come back when the login lets them. Call it in the transaction that deletes the session. `reason` is for the page.';
--! EndIncluded functions/public/disconnect.sql
--! Included functions/public/recheck.sql
-- An overload for each type that ids of users have; only the one for text may be called without a user.
create or replace function djr.recheck(
  user_id text default null,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id, null, recheck.topic)
$$;

comment on function djr.recheck(text, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a text (null: of every user), may still hear this topic (null: any topic). Seals made by a query that did not see this transaction no longer count for them. Call it in the transaction that deletes the membership.';

create or replace function djr.recheck(
  user_id smallint,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(smallint, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a smallint (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id integer,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(integer, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is an integer (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id bigint,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(bigint, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a bigint (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id numeric,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', djr._user_of(recheck.user_id), null, recheck.topic)
$$;

comment on function djr.recheck(numeric, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a numeric (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';

create or replace function djr.recheck(
  user_id uuid,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id::pg_catalog.text, null, recheck.topic)
$$;

comment on function djr.recheck(uuid, text) is
  'Makes every runtime ask again, within a second of the commit, whether the clients of this user, whose id is a uuid (null: of every user), may still hear this topic (null: any topic). For the rest see the one for a text.';
--! EndIncluded functions/public/recheck.sql
--! Included functions/runtime/report_presence.sql
create or replace function djr.report_presence(
  instance text,
  topics text[],
  user_ids text[],
  streams integer[],
  afresh boolean default false
) returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  _changed text[];
begin
  if report_presence.afresh then
    delete from djr.presence where presence.instance = report_presence.instance;
  end if;
  -- The rows are written in one order, so that no two instances wait for each other; each writes only rows of its own.
  with told as (
    select told.topic, told.user_id, told.streams
    from unnest(report_presence.topics, report_presence.user_ids, report_presence.streams) told (topic, user_id, streams)
  ),
  removed as (
    delete from djr.presence
    using told
    where told.streams = 0
      and presence.instance = report_presence.instance
      and presence.topic = told.topic
      and presence.user_id = told.user_id
    returning presence.topic
  ),
  written as (
    insert into djr.presence (since, streams, instance, topic, user_id)
    select clock_timestamp(), told.streams, report_presence.instance, told.topic, told.user_id
    from told
    where told.streams > 0
    order by told.topic, told.user_id
    on conflict on constraint presence_pkey do update
    set streams = excluded.streams
    returning presence.topic
  )
  select array_agg(distinct told.topic) filter (where told.topic <> '') into _changed from told;
  if _changed is not null then
    -- If many topics changed, the message names none of them, and the other instances read all topics that their clients hear.
    perform pg_notify(
      settings.channel,
      case
        when octet_length(to_json(_changed)::text) < 7900 then json_build_object('presence', _changed)::text
        else '{"presence":null}'
      end
    )
    from djr.settings;
  end if;
  return coalesce(_changed, '{}');
end
$$;

comment on function djr.report_presence(text, text[], text[], integer[], boolean) is
  'Writes how many streams of each user an instance has for each topic (an empty topic: streams of any kind; 0: none any more), and tells the other instances which topics changed. `afresh` first deletes what the instance wrote before. The runtime calls it in batches when its option presence is on.';
--! EndIncluded functions/runtime/report_presence.sql
--! Included functions/runtime/presence_of.sql
create or replace function djr.presence_of(topics text[]) returns table (topic text, user_ids text[])
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select asked.topic, array(
    select distinct online.user_id
    from djr.online
    where online.topic = asked.topic
    order by online.user_id
  )
  from unnest(presence_of.topics) asked (topic);
end
$$;

comment on function djr.presence_of(text[]) is
  'The users who hear each of these topics now, on any instance. The runtime calls it after it was told that one of them changed.';
--! EndIncluded functions/runtime/presence_of.sql

--! Included functions/public/position.sql
-- STABLE, so that it has the snapshot of the calling query. SECURITY DEFINER, so that callers need no right to what it calls.
create or replace function djr.position() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return djr._snapshot()::text;
end
$$;

comment on function djr.position() is
  'Where the stream stands in the calling statement''s snapshot. A page that reads its state and this in one statement (or one repeatable-read transaction) and connects with ?since= misses nothing and sees nothing twice. Events of the calling transaction itself come once it has committed, whether it publishes them before or after this.';
--! EndIncluded functions/public/position.sql
--! Included functions/runtime/epoch.sql
-- SECURITY DEFINER, because it calls pg_control_system(), which some hosting services forbid to ordinary roles but not to the owner.
create or replace function djr.epoch() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select concat_ws(
      '_',
      coalesce(nullif(ltrim(lower(left(pg_walfile_name(pg_current_wal_lsn()), 8)), '0'), ''), '0'),
      to_hex(pg_database.oid::bigint),
      to_hex((select system_identifier from pg_control_system())),
      (select settings.generation from djr.settings)
    )
    from pg_database
    where pg_database.datname = current_database()
  );
end
$$;

comment on function djr.epoch() is
  'Names the history of this database: timeline, database, cluster and generation. It changes after a failover, a point-in-time restore or a restore elsewhere, and when a runtime notices that the storage was rolled back to a snapshot: transaction ids of two histories do not compare.';
--! EndIncluded functions/runtime/epoch.sql
--! Included functions/runtime/renew_epoch.sql
-- Compares and sets under the lock of the row: if many runtimes notice at once, only one of them makes the new epoch.
create or replace function djr.renew_epoch(epoch text) returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from djr.settings for update;
  if djr.epoch() = renew_epoch.epoch then
    update djr.settings
    set generation = replace(gen_random_uuid()::text, '-', '');
  end if;
  return djr.epoch();
end
$$;

comment on function djr.renew_epoch(text) is
  'Begins a new epoch, unless another runtime has begun one since the epoch in the argument, and returns the current epoch. Every client is then told to reset. The runtime calls it when events that it delivered are gone after a restart of PostgreSQL.';
--! EndIncluded functions/runtime/renew_epoch.sql
--! Included functions/internal/_ring.sql
-- A doorbell only saves instances the wait for their next sweep. If the NOTIFY queue has no room for it, the change that it announces
-- must not fail: that may be the very change by which publishers stop using NOTIFY.
create or replace function djr._ring(channel text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_notification_queue_usage() < 0.9 then
    perform pg_notify(_ring.channel, '{"doorbell":"sweep"}');
  end if;
end
$$;

comment on function djr._ring(text) is
  'Has the runtimes that listen on a channel sweep at once, unless the NOTIFY queue is nearly full. Internal.';
--! EndIncluded functions/internal/_ring.sql
--! Included functions/public/configure.sql
-- Only the schema's owner may call it: it is granted to nobody and is not SECURITY DEFINER.
-- Earlier versions had fewer parameters. They are dropped, because a function with one parameter more would stand beside them.
drop function if exists djr.configure(boolean, text, interval, text, text);
drop function if exists djr.configure(boolean, text, interval, text, text, real, text, boolean);

create or replace function djr.configure(
  storage boolean default null,
  channel text default null,
  retention interval default null,
  activity text default null,
  delivery text default null,
  queue_limit real default null,
  authorize_topic text default null,
  rotate_seal_key boolean default false,
  consumer_retention interval default null,
  max_bytes integer default null
) returns djr.settings
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before djr.settings;
  _after djr.settings;
  _function text;
begin
  if octet_length(configure.channel) not between 1 and 63 then
    raise exception using
      errcode = 'DJR10',
      message = format('channel must have 1 to 63 bytes (it has %s)', octet_length(configure.channel)),
      detail = format('It has %s.', octet_length(configure.channel)),
      hint = 'Whoever can guess it can listen: choose it at random.';
  elsif configure.retention < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = format('retention must not be negative (it is %s)', configure.retention),
      detail = format('It is %s.', configure.retention),
      hint = 'For example ''30 days''; ''0'' keeps events for ever.';
  elsif configure.consumer_retention < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = format('consumer_retention must not be negative (it is %s)', configure.consumer_retention),
      detail = format('It is %s.', configure.consumer_retention),
      hint = 'For example ''7 days''; ''0'' keeps events until every consumer has had them.';
  elsif configure.activity not in ('off', 'summary', 'full') then
    raise exception using
      errcode = 'DJR10',
      message = format('activity must be off, summary or full (it is %s)', to_json(configure.activity)),
      detail = format('It is %s.', to_json(configure.activity)),
      hint = 'summary: a row an event and instance. full: a row a user, too.';
  elsif configure.delivery not in ('auto', 'notify', 'sweep') then
    raise exception using
      errcode = 'DJR10',
      message = format('delivery must be auto, notify or sweep (it is %s)', to_json(configure.delivery)),
      detail = format('It is %s.', to_json(configure.delivery)),
      hint = 'auto is right unless you measured otherwise.';
  elsif not configure.queue_limit between 0.001 and 1 then
    raise exception using
      errcode = 'DJR10',
      message = format('queue_limit must be between 0.001 and 1 (it is %s)', configure.queue_limit),
      detail = format('It is %s.', configure.queue_limit),
      hint = 'It is a share of the NOTIFY queue: 0.25 is a quarter.';
  elsif configure.max_bytes not between 7999 and 1048576 then
    raise exception using
      errcode = 'DJR10',
      message = format('max_bytes must be between 7999 and 1048576 (it is %s)', configure.max_bytes),
      detail = format('It is %s.', configure.max_bytes),
      hint = '7999 is what NOTIFY carries; a larger event is read by a sweep. What is larger than 1 MiB is fetched better than pushed.';
  end if;
  if configure.authorize_topic <> '' then
    -- Stored with its schema, so that it is found whatever the search_path is when it is called.
    begin
      select format('%I.%I', pg_namespace.nspname, pg_proc.proname)
      into _function
      from pg_proc
      join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
      where pg_proc.oid = to_regprocedure(configure.authorize_topic || '(text, text)')
        and pg_proc.prokind = 'f'
        and pg_proc.prorettype = 'boolean'::regtype
        and not pg_proc.proretset;
    exception when syntax_error or invalid_name then
      -- The text is no name of a function at all; it is refused below.
    end;
    if _function is null then
      raise exception using
        errcode = 'DJR10',
        message = format(
          'the setting authorize_topic must name a function (text, text) returns boolean (there is none named %s)',
          configure.authorize_topic
        ),
        detail = format('There is none named %s.', configure.authorize_topic),
        hint = 'Name it with its schema, app.may_hear; '''' stops asking.';
    end if;
  end if;

  -- This creates the row of the settings if it is missing.
  perform djr.channel();
  select * into strict _before from djr.settings;
  update djr.settings
  set
    storage = coalesce(configure.storage, settings.storage),
    channel = coalesce(configure.channel, settings.channel),
    retention = nullif(coalesce(configure.retention, settings.retention), interval '0'),
    consumer_retention = nullif(coalesce(configure.consumer_retention, settings.consumer_retention), interval '0'),
    activity = coalesce(configure.activity, settings.activity),
    delivery = coalesce(configure.delivery, settings.delivery),
    authorize_topic = case when configure.authorize_topic = '' then null else coalesce(_function, settings.authorize_topic) end,
    queue_limit = coalesce(configure.queue_limit, settings.queue_limit),
    max_bytes = coalesce(configure.max_bytes, settings.max_bytes),
    largest_bytes = greatest(settings.largest_bytes, settings.max_bytes, configure.max_bytes),
    -- Events that were published while storage was off have no row. A client that resumes from a snapshot without this transaction
    -- cannot get them, so it must be reset, just as if they had been pruned.
    pruned_xid = case
      when configure.storage and not settings.storage then greatest(settings.pruned_xid, pg_current_xact_id())
      else settings.pruned_xid
    end
  returning * into strict _after;

  if configure.delivery in ('notify', 'sweep') then
    perform setval('djr.delivery_mode', array_position(array['notify', 'sweep'], configure.delivery));
  end if;
  if configure.storage and not _before.storage then
    perform djr._overtake_all('storage was off, and what was published meanwhile was not stored');
  end if;
  if configure.rotate_seal_key then
    perform djr._new_seal_key();
  end if;
  if _after is distinct from _before or configure.rotate_seal_key then
    -- The doorbell goes to the old channel, on which the runtimes still listen: they then read the new settings and the new channel.
    perform djr._ring(_before.channel);
  end if;
  return _after;
end
$$;

comment on function djr.configure(boolean, text, interval, text, text, real, text, boolean, interval, integer) is
  'Changes the settings that are given and returns all of them. max_bytes, 7999 to 1048576, lets events through that NOTIFY cannot carry; retention => ''0'' keeps events for ever; consumer_retention => ''0'' keeps them until every consumer has had them, where it is else a week at most; authorize_topic => '''' stops asking; rotate_seal_key => true signs seals with a new key, and seals of the previous key stay valid. For the schema''s owner.';
--! EndIncluded functions/public/configure.sql
--! Included functions/runtime/set_delivery_mode.sql
create or replace function djr.set_delivery_mode(mode text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _mode integer := array_position(array['notify', 'sweep'], set_delivery_mode.mode);
  _channel text;
begin
  if _mode is null then
    raise exception using
      errcode = 'DJR10',
      message = format('the delivery mode must be notify or sweep (it is %s)', coalesce(to_json(set_delivery_mode.mode)::text, 'null')),
      detail = format('It is %s.', coalesce(to_json(set_delivery_mode.mode)::text, 'null')),
      hint = 'To let the runtimes decide: select djr.configure(delivery => ''auto'').';
  end if;

  select settings.channel into _channel from djr.settings where settings.delivery = 'auto';
  if not found then
    return false;
  end if;
  perform setval('djr.delivery_mode', _mode);
  -- Without the doorbell an instance that relies on NOTIFY would learn of the change only at its next regular sweep.
  perform djr._ring(_channel);
  return true;
end
$$;

comment on function djr.set_delivery_mode(text) is
  'Sets how events reach the runtimes, notify or sweep, at once and for every session, and makes the runtimes sweep. Does nothing and returns false unless the setting delivery is auto.';
--! EndIncluded functions/runtime/set_delivery_mode.sql
--! Included functions/runtime/pace_unstored.sql
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
--! EndIncluded functions/runtime/pace_unstored.sql
--! Included functions/runtime/repair_xids.sql
-- A dump that is restored into a younger cluster brings transaction ids that lie in the future, and every sweep would find those rows
-- new. Rows that this cluster committed are never changed: a row that a snapshot sees has a transaction id below the snapshot's xmax.
create or replace function djr.repair_xids() returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _repaired bigint;
begin
  -- Several instances may start at the same time. One of them repairs while the others wait for it, so that they do not wait for each
  -- other's rows.
  if exists (select from djr.event where event.xid >= pg_snapshot_xmax(pg_current_snapshot())) then
    perform from djr.settings for no key update;
  end if;

  update djr.event
  set xid = '3'
  where event.xid >= pg_snapshot_xmax(pg_current_snapshot());
  get diagnostics _repaired = row_count;

  update djr.settings
  set pruned_xid = '3'
  where settings.pruned_xid >= pg_snapshot_xmax(pg_current_snapshot());
  return _repaired;
end
$$;

comment on function djr.repair_xids() is
  'Repairs events after a restore into another cluster: sets transaction ids that lie in the future to the oldest possible one, and returns how many events it changed. The runtime calls it when it starts.';
--! EndIncluded functions/runtime/repair_xids.sql
--! Included functions/runtime/report_instance.sql
create or replace function djr.report_instance(
  name text,
  uptime interval,
  connections integer,
  events bigint,
  deliveries bigint,
  errors bigint,
  lag_ms real,
  host text,
  version text
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- If something locks the row, this fails soon: the instance reports again 5 s later.
set lock_timeout = '1s'
as $$
declare
  _now timestamptz := clock_timestamp();
begin
  -- No other instance deletes this row, and rows that another instance is deleting are skipped: no two instances wait for each other.
  delete from djr.instance
  where instance.name in (
    select gone.name
    from djr.instance gone
    where gone.seen_at < _now - interval '1 day'
    for update skip locked
  );

  -- Rows of instances that were killed.
  delete from djr.presence
  where not exists (select from djr.instance where instance.name = presence.instance);

  insert into djr.instance (name, started_at, seen_at, connections, events, deliveries, errors, lag_ms, host, version)
  values (
    report_instance.name,
    _now - report_instance.uptime,
    _now,
    report_instance.connections,
    report_instance.events,
    report_instance.deliveries,
    report_instance.errors,
    report_instance.lag_ms,
    left(report_instance.host, 255),
    left(report_instance.version, 64)
  )
  on conflict on constraint instance_pkey do update
  set seen_at = excluded.seen_at,
      connections = excluded.connections,
      events = excluded.events,
      deliveries = excluded.deliveries,
      errors = excluded.errors,
      lag_ms = excluded.lag_ms;
end
$$;

comment on function djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text) is
  'Reports that a runtime is alive, with its totals since its start: writes its row of djr.instance, and deletes rows that were not updated for a day. lag_ms may be null. The runtime calls it every 5 s.';
--! EndIncluded functions/runtime/report_instance.sql
--! Included functions/runtime/forget_instance.sql
create or replace function djr.forget_instance(name text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
begin
  delete from djr.presence
  where presence.instance = forget_instance.name;
  if found then
    -- The users of this instance are gone, so the other instances are told to read presence again.
    perform pg_notify(settings.channel, '{"presence":null}') from djr.settings;
  end if;
  delete from djr.instance
  where instance.name = forget_instance.name;
  return found;
end
$$;

comment on function djr.forget_instance(text) is
  'Removes a runtime''s row of djr.instance, and returns whether there was one. The runtime calls it when it stops.';
--! EndIncluded functions/runtime/forget_instance.sql
--! Included functions/runtime/record_relay_mark.sql
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
--! EndIncluded functions/runtime/record_relay_mark.sql

--! Included functions/internal/_find_consumer.sql
create or replace function djr._find_consumer(name text) returns djr._consumer
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _found djr._consumer;
begin
  select * into _found
  from djr._consumer
  where _consumer.name = _find_consumer.name;
  if not found then
    raise exception using
      errcode = 'DJR20',
      message = format('there must be a consumer %s (there is none)', coalesce(to_json(_find_consumer.name)::text, 'null')),
      detail = 'A consumer is created once, and keeps its place from then on.',
      hint = 'Create it: select djr.create_consumer(NAME). Those there are: select name from djr.consumer.';
  end if;
  return _found;
end
$$;

comment on function djr._find_consumer(text) is
  'The consumer of this name; DJR20 where there is none. Internal.';
--! EndIncluded functions/internal/_find_consumer.sql
--! Included functions/internal/_place_of.sql
create or replace function djr._place_of(consumer djr._consumer) returns djr._consumer_place
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _place djr._consumer_place;
  _restored boolean;
begin
  select place.*
  into _place
  from djr._consumer_place place
  where place.consumer = (_place_of.consumer).id;
  if not found then
    -- The consumer was dropped meanwhile: this raises DJR20.
    perform djr._find_consumer((_place_of.consumer).name);
  end if;
  select _consumer.mark is distinct from _consumer.xmin
  into _restored
  from djr._consumer
  where _consumer.id = (_place_of.consumer).id;
  if _restored or _place.reason is not null then
    raise exception using
      errcode = 'DJR22',
      message = format(
        'consumer %s must be reset: %s',
        to_json((_place_of.consumer).name),
        case
          when _restored then 'it was restored from a dump, and its place is one of another database'
          else _place.reason
        end
      ),
      detail = case
        when _restored then 'Transaction ids of two databases do not compare.'
        else format(
          'It has lost %s since %s.',
          coalesce(_place.lost || case _place.lost when 1 then ' event' else ' events' end, 'events'),
          _place.overtaken_at
        )
      end,
      hint = format(
        case
          when _restored then
            'Begin anew: select djr.reset_consumer(%1$L, ''now''); or, with all that is stored: select djr.reset_consumer(%1$L, ''start'').'
          else 'Look at what it has missed, then: select djr.reset_consumer(%1$L).'
        end,
        (_place_of.consumer).name
      );
  end if;
  return _place;
end
$$;

comment on function djr._place_of(djr._consumer) is
  'Where a consumer stands; DJR22 where it was overtaken. Internal.';
--! EndIncluded functions/internal/_place_of.sql
--! Included functions/internal/_take_due.sql
-- The next events after a place. A window is what one snapshot sees and the place's frontier does not; the events of a window come in
-- the order of their ids, so an event that was inserted after another had committed comes after it. If the window has at most 1,000
-- events, they are found by the index on xid and all of them are held at once. If it has more, as when a consumer was away, the place
-- remembers the window, and it is read by id, batch by batch.
create or replace function djr._take_due(
  consumer djr._consumer,
  place djr._consumer_place,
  max_events integer,
  purpose text,
  out ids bigint[],
  out behind djr._consumer_place
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _place djr._consumer_place := _take_due.place;
  _marked boolean := exists (select from djr._consumer_done done where done.consumer = (_take_due.consumer).id);
  _secret bytea := uuid_send((_take_due.consumer).secret);
  _is_new boolean := false;
  _in_progress xid8[];
  -- The ids of the whole window if it is small; null if it is large.
  _few bigint[];
  _some bigint[];
  _wanted integer;
  _at bigint;
begin
  ids := '{}';
  loop
    if _place.upto is null then
      _is_new := true;
      _place.upto := djr._snapshot();
      _in_progress := array(select pg_snapshot_xip(_place.frontier));
      _few := array(
        select found.id
        from (
          (
            select event.id
            from djr.event
            where event.xid = any (_in_progress)
              and pg_visible_in_snapshot(event.xid, _place.upto)
            limit 1001
          )
          union all
          (
            select event.id
            from djr.event
            where event.xid >= pg_snapshot_xmax(_place.frontier)
              and event.xid < pg_snapshot_xmax(_place.upto)
              and pg_visible_in_snapshot(event.xid, _place.upto)
            order by event.xid, event.id
            limit 1001
          )
        ) found
        limit 1001
      );
      if cardinality(_few) > 1000 then
        _few := null;
        select min(found.id) - 1, max(found.id)
        into _place.last_id, _place.until_id
        from (
          select event.id
          from djr.event
          where event.xid = any (_in_progress)
            and pg_visible_in_snapshot(event.xid, _place.upto)
          union all
          select event.id
          from djr.event
          where event.xid >= pg_snapshot_xmax(_place.frontier)
            and event.xid < pg_snapshot_xmax(_place.upto)
            and pg_visible_in_snapshot(event.xid, _place.upto)
          -- Without this line the planner might search the whole table for the lowest id.
          offset 0
        ) found;
      else
        select coalesce(min(few.id) - 1, 0), coalesce(max(few.id), 0)
        into _place.last_id, _place.until_id
        from unnest(_few) few (id);
      end if;
    else
      _few := null;
    end if;

    _at := _place.last_id;
    loop
      _wanted := _take_due.max_events - cardinality(ids);
      if _few is null then
        _some := array(
          select event.id
          from djr.event
          where event.id > _at
            and event.id <= _place.until_id
            and pg_visible_in_snapshot(event.xid, _place.upto)
            and not pg_visible_in_snapshot(event.xid, _place.frontier)
            and djr._is_for(
              (_take_due.consumer).types, (_take_due.consumer).topics, event.scope, event.type, event.topic
            )
            and not (
              _marked
              and exists (
                select
                from djr._consumer_done done
                where done.consumer = (_take_due.consumer).id
                  and done.event_id = event.id
              )
            )
          order by event.id
          limit _wanted
        );
      else
        _some := array(
          select event.id
          from djr.event
          where event.id = any (_few)
            and event.id > _at
            and djr._is_for(
              (_take_due.consumer).types, (_take_due.consumer).topics, event.scope, event.type, event.topic
            )
            and not (
              _marked
              and exists (
                select
                from djr._consumer_done done
                where done.consumer = (_take_due.consumer).id
                  and done.event_id = event.id
              )
            )
          order by event.id
          limit _wanted
        );
      end if;
      _at := coalesce(_some[cardinality(_some)], _at);
      if _take_due.purpose = 'share' then
        -- Each event is locked until the transaction ends. The next caller that gets the lock finds the event done, or due again.
        -- Any role may take an advisory lock whose key it knows, and would keep the event from the consumer: so the key is a secret.
        ids := ids || array(
          select candidate.id
          from unnest(_some) candidate (id)
          where pg_try_advisory_xact_lock(
            ('x' || left(encode(sha256(_secret || int8send(candidate.id)), 'hex'), 16))::bit(64)::bigint
          )
        );
      else
        ids := ids || _some;
      end if;
      exit when cardinality(_some) < _wanted or cardinality(ids) >= _take_due.max_events;
    end loop;

    if _take_due.purpose = 'look' and cardinality(ids) > 0 then
      _place.last_id := ids[1] - 1;
      exit;
    end if;
    _place.last_id := _at;
    exit when cardinality(ids) >= _take_due.max_events and _at < _place.until_id;
    _place.frontier := _place.upto;
    _place.upto := null;
    _place.last_id := null;
    _place.until_id := null;
    exit when _is_new or cardinality(ids) >= _take_due.max_events;
  end loop;
  behind := _place;
end
$$;

comment on function djr._take_due(djr._consumer, djr._consumer_place, integer, text) is
  'The next events for a consumer at this place, and the place after them. Purpose take: all of them; share: those that no other caller has taken; look: finds only the first, and returns the place right before it. Internal.';
--! EndIncluded functions/internal/_take_due.sql
--! Included functions/internal/_move_consumer.sql
create or replace function djr._move_consumer(place djr._consumer_place) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update djr._consumer_place
  set
    frontier = (_move_consumer.place).frontier,
    upto = (_move_consumer.place).upto,
    last_id = (_move_consumer.place).last_id,
    until_id = (_move_consumer.place).until_id,
    moved_at = clock_timestamp()
  where _consumer_place.consumer = (_move_consumer.place).consumer;

  delete from djr._consumer_done done
  where done.consumer = (_move_consumer.place).consumer
    and not djr._is_awaited(
      (_move_consumer.place).frontier, (_move_consumer.place).upto, (_move_consumer.place).last_id,
      done.xid, done.event_id
    );
end
$$;

comment on function djr._move_consumer(djr._consumer_place) is
  'Moves a consumer to this place, and forgets the events that it had out of order and that now lie behind the place. Internal.';
--! EndIncluded functions/internal/_move_consumer.sql
--! Included functions/internal/_fold_done.sql
-- Callers that share a consumer finish events out of order. The place moves up to the first event that is not finished: it is either
-- due, or another caller has taken it and has not committed yet.
create or replace function djr._fold_done(consumer djr._consumer) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _place djr._consumer_place;
  _behind djr._consumer_place;
begin
  perform
  from djr._consumer_place place
  where place.consumer = (_fold_done.consumer).id
  for no key update skip locked;
  if not found then
    return;
  end if;
  select place.*
  into _place
  from djr._consumer_place place
  where place.consumer = (_fold_done.consumer).id;
  select (due.behind).* into _behind
  from djr._take_due(_fold_done.consumer, _place, 1, 'look') due;
  -- PostgreSQL cannot compare snapshots with =, so their texts are compared.
  if _behind::text <> _place::text then
    perform djr._move_consumer(_behind);
  end if;
end
$$;

comment on function djr._fold_done(djr._consumer) is
  'Moves the place of a shared consumer up to the first event that is not done; does nothing while another caller moves it. Internal.';
--! EndIncluded functions/internal/_fold_done.sql
--! Included functions/internal/_has_fixed_snapshot.sql
-- PostgreSQL treats read uncommitted as read committed, but reports the name that was asked for.
create or replace function djr._has_fixed_snapshot() returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select current_setting('transaction_isolation') in ('repeatable read', 'serializable')
$$;

comment on function djr._has_fixed_snapshot() is
  'Whether all statements of this transaction see one snapshot: repeatable read or serializable. Internal.';
--! EndIncluded functions/internal/_has_fixed_snapshot.sql
--! Included functions/internal/_share_due.sql
-- Each caller that shares a consumer locks the events that it takes, one lock an event, and notes them in djr._consumer_done. The place
-- moves on once no event before it is open. Whichever caller gets the lock of the place's row moves it; the others do not wait.
create or replace function djr._share_due(consumer djr._consumer, max_events integer) returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- In repeatable read and serializable one snapshot serves the whole transaction, so reading again shows nothing new.
  _is_fixed boolean := djr._has_fixed_snapshot();
  _place djr._consumer_place;
  _ids bigint[];
  _taken integer;
begin
  if _is_fixed then
    -- This fails with 40001 if the place has moved since the snapshot, and keeps it from moving until the transaction ends.
    perform from djr._consumer_place place where place.consumer = (_share_due.consumer).id for share;
  end if;
  loop
    _place := djr._place_of(_share_due.consumer);
    select due.ids into _ids
    from djr._take_due(_share_due.consumer, _place, least(_share_due.max_events, 1000), 'share') due;
    _taken := cardinality(_ids);
    exit when _taken = 0;
    if not _is_fixed then
      -- A lock may have been free because another caller took the event and committed after the events were read here. Such events are
      -- dropped from the list.
      _ids := array(
        select event.id
        from djr.event
        join djr._consumer_place place on place.consumer = (_share_due.consumer).id
        where event.id = any (_ids)
          and djr._is_awaited(place.frontier, place.upto, place.last_id, event.xid, event.id)
          and not exists (
            select
            from djr._consumer_done done
            where done.consumer = place.consumer
              and done.event_id = event.id
          )
      );
    end if;
    -- With a fixed snapshot a row that another caller inserted meanwhile raises 40001.
    insert into djr._consumer_done (consumer, event_id, xid)
    select (_share_due.consumer).id, event.id, event.xid
    from djr.event
    where event.id = any (_ids)
    on conflict do nothing;
    exit when cardinality(_ids) > 0;
  end loop;

  -- With a fixed snapshot moving the place makes concurrent callers fail with 40001, so it moves only when 5,000 events are noted.
  if not _is_fixed
    or (
      select count(*)
      from (select from djr._consumer_done done where done.consumer = (_share_due.consumer).id limit 5000) noted
    ) = 5000
  then
    perform djr._fold_done(_share_due.consumer);
  end if;
  return _ids;
end
$$;

comment on function djr._share_due(djr._consumer, integer) is
  'Takes events of a consumer that several callers share. Internal.';
--! EndIncluded functions/internal/_share_due.sql
--! Included functions/internal/_consumer_from.sql
create or replace function djr._consumer_from("from" text) returns pg_snapshot
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _from pg_snapshot;
  _own xid8 := pg_current_xact_id_if_assigned();
  _pruned xid8;
begin
  if _consumer_from."from" = 'now' then
    return djr._snapshot();
  elsif _consumer_from."from" = 'start' then
    -- A snapshot in which nothing is visible. Events that a restore brought have transaction 3, so they are new to it as well.
    return '1:1:';
  elsif _consumer_from."from" ~ E'^\\d{1,19}:\\d{1,19}:(\\d{1,19}(,\\d{1,19})*)?$' then
    begin
      _from := _consumer_from."from"::pg_snapshot;
    exception when invalid_text_representation then
      -- It is refused below, with a message of our own.
    end;
  end if;
  if _from is null or pg_snapshot_xmax(_from) > pg_snapshot_xmax(pg_current_snapshot()) then
    raise exception using
      errcode = 'DJR10',
      message = format(
        'from must be now, start, or a position of this database (it is %s)',
        coalesce(to_json(left(_consumer_from."from", 200))::text, 'null')
      ),
      detail = case
        when _from is null then 'A position is what djr.position() returned.'
        else 'It lies in the future: it is one of another database.'
      end,
      hint = 'now: what commits from now on. start: everything that is stored. Or: select djr.position().';
  end if;

  -- This lock keeps others from deleting events until this transaction ends: a transaction that deletes would not see the new
  -- consumer, and so would not record what it loses.
  select settings.pruned_xid into _pruned from djr.settings for share;
  if _pruned is not null and not pg_visible_in_snapshot(_pruned, _from) then
    raise exception using
      errcode = 'DJR22',
      message = 'events behind this position were deleted',
      detail = format('The position is %s; transaction %s published what was deleted.', left(_from::text, 200), _pruned),
      hint = 'Fetch the state anew and begin at its position, or begin at ''start'': with what is still stored.';
  end if;
  -- The consumer is to get what the caller's own transaction publishes after this call as well.
  if _own is not null and pg_visible_in_snapshot(_own, _from) then
    return djr._without(_from, _own);
  end if;
  return _from;
end
$$;

comment on function djr._consumer_from(text) is
  'Where a consumer begins: now, start, or a position. Internal.';
--! EndIncluded functions/internal/_consumer_from.sql
--! Included functions/public/consume.sql
-- It first looks whether anything is due, without a row lock and without writing, so that polling an idle consumer costs no more than
-- reading. That look also locks the table djr.event before the consumer's row is locked, in the same order as TRUNCATE, so the two
-- cannot deadlock.
create or replace function djr.consume(
  name text,
  max_events integer default 100,
  mode text default 'wait'
) returns table (
  id bigint,
  created_at timestamptz,
  type text,
  scope text,
  user_id text,
  topic text,
  detail jsonb,
  private_data jsonb,
  key text,
  replay_of bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _found djr._consumer;
  _place djr._consumer_place;
  _due record;
  _ids bigint[];
begin
  if consume.max_events is null or consume.max_events < 1 then
    raise exception using
      errcode = 'DJR10',
      message = format('max_events must be at least 1 (it is %s)', coalesce(consume.max_events::text, 'null')),
      detail = format('It is %s.', coalesce(consume.max_events::text, 'null')),
      hint = 'Leave it out for the default of 100.';
  elsif consume.mode is null or consume.mode not in ('wait', 'skip', 'share') then
    raise exception using
      errcode = 'DJR10',
      message = format('mode must be wait, skip or share (it is %s)', coalesce(to_json(consume.mode)::text, 'null')),
      detail = format('It is %s.', coalesce(to_json(consume.mode)::text, 'null')),
      hint = 'wait: one caller at a time. skip: nothing, while another is at it. share: events that no other caller has.';
  end if;

  _found := djr._find_consumer(consume.name);
  _place := djr._place_of(_found);
  if _place.upto is null
    and not exists (
      select
      from djr.event
      where event.xid = any (array(select pg_snapshot_xip(_place.frontier)))
    )
    -- With exists() the planner might search the whole table.
    and (
      select event.id
      from djr.event
      where event.xid >= pg_snapshot_xmax(_place.frontier)
      order by event.xid, event.id
      limit 1
    ) is null
  then
    if not (select settings.storage from djr.settings) then
      raise exception using
        errcode = 'DJR06',
        message = 'a consumer needs storage, and storage is off',
        detail = 'What is published now is not stored, and no consumer will get it.',
        hint = 'Switch it on: select djr.configure(storage => true).';
    end if;
    return;
  end if;

  if consume.mode = 'share' then
    perform from djr._consumer where _consumer.id = _found.id for share;
    _ids := djr._share_due(_found, consume.max_events);
  else
    if consume.mode = 'wait' then
      perform from djr._consumer where _consumer.id = _found.id for no key update;
    else
      perform from djr._consumer where _consumer.id = _found.id for no key update skip locked;
      if not found then
        return;
      end if;
    end if;
    _place := djr._place_of(_found);
    select * into _due from djr._take_due(_found, _place, consume.max_events, 'take') due;
    if djr._has_fixed_snapshot() then
      -- This snapshot does not see which events other callers have taken with mode share since it was taken, and their commits need not
      -- have moved the place. Inserting the same events here makes each such case a conflict, SQLSTATE 40001, instead of a second
      -- delivery. djr._move_consumer deletes these rows again.
      insert into djr._consumer_done (consumer, event_id, xid)
      select _found.id, event.id, event.xid
      from djr.event
      where event.id = any (_due.ids)
      on conflict do nothing;
    end if;
    perform djr._move_consumer(_due.behind);
    _ids := _due.ids;
  end if;

  return query
  select
    event.id,
    event.created_at,
    event.type::text,
    event.scope::text,
    event.user_id::text,
    event.topic::text,
    event.detail::jsonb,
    event.private_data,
    event.key::text,
    event.replay_of
  from djr.event
  where event.id = any (_ids)
  order by event.id;
end
$$;

comment on function djr.consume(text, integer, text) is
  'Returns the next events for a consumer in the order of their ids, and moves its place in the caller''s transaction: what the transaction does with the events commits together with the place. It reads by snapshot, as a sweep does: an event that commits after one snapshot comes with a later one and is not skipped, even if its id is lower. No rows means that nothing is due. mode wait (the default) waits while another transaction consumes; skip returns nothing then; share takes events that no other caller has taken, and they come again if its transaction is rolled back. DJR10: max_events is below 1, or mode is another word. DJR20: there is no such consumer. DJR22: it was overtaken, or restored from a dump. DJR06: nothing is due, and storage is off.';
--! EndIncluded functions/public/consume.sql
--! Included functions/public/create_consumer.sql
create or replace function djr.create_consumer(
  name text,
  "from" text default 'now',
  types text[] default null,
  topics text[] default null
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _frontier pg_snapshot;
  _id integer;
  _one text;
begin
  if create_consumer.name is null
    or length(create_consumer.name) not between 1 and 200
    or create_consumer.name ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
  then
    raise exception using
      errcode = 'DJR10',
      message = format(
        'the name of a consumer must have 1 to 200 characters, and no white space or control characters (it is %s)',
        coalesce(to_json(left(create_consumer.name, 200))::text, 'null')
      ),
      detail = format('It has %s characters.', coalesce(length(create_consumer.name), 0)),
      hint = 'Name it after what it does: billing.';
  elsif cardinality(create_consumer.types) = 0 or cardinality(create_consumer.topics) = 0 then
    raise exception using
      errcode = 'DJR10',
      message = format(
        '%s must have an element at least, or be null (it is empty)',
        case cardinality(create_consumer.types) when 0 then 'types' else 'topics' end
      ),
      detail = 'No event would come.',
      hint = 'Leave it out for all events.';
  end if;
  foreach _one in array coalesce(create_consumer.types, '{}') loop
    perform djr._validate('public', null, _one, '{}', null, 'types: ', null);
  end loop;
  foreach _one in array coalesce(create_consumer.topics, '{}') loop
    perform djr._validate_topic(_one, 'topics: ');
  end loop;
  _frontier := djr._consumer_from(create_consumer."from");

  insert into djr._consumer (name, types, topics)
  values (create_consumer.name, create_consumer.types, create_consumer.topics)
  on conflict (name) do nothing
  returning _consumer.id into _id;
  if _id is null then
    raise exception using
      errcode = 'DJR21',
      message = format('the name must be of no other consumer (there is one named %s)', to_json(create_consumer.name)),
      detail = 'It keeps its place and its filters.',
      hint = format(
        'Go on with it: select * from djr.consume(%L). Or: select djr.drop_consumer(%L).',
        create_consumer.name, create_consumer.name
      );
  end if;
  update djr._consumer
  set mark = _consumer.xmin
  where _consumer.id = _id;
  insert into djr._consumer_place (consumer, frontier) values (_id, _frontier);
end
$$;

comment on function djr.create_consumer(text, text, text[], text[]) is
  'Creates a consumer, which keeps a place for djr.consume. It begins with what commits from now on (now), with everything that is stored (start), or at a position that djr.position() returned. `from` is a reserved word: give it second, or write "from" => ''start''. With types or topics it gets only events of those; with both, only events that match both. DJR21: a consumer of this name exists.';
--! EndIncluded functions/public/create_consumer.sql
--! Included functions/public/drop_consumer.sql
create or replace function djr.drop_consumer(name text) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
begin
  delete from djr._consumer
  where _consumer.name = drop_consumer.name
  returning _consumer.id into _id;
  if _id is null then
    perform djr._find_consumer(drop_consumer.name);
  end if;
  delete from djr._consumer_place where _consumer_place.consumer = _id;
  delete from djr._consumer_done where _consumer_done.consumer = _id;
end
$$;

comment on function djr.drop_consumer(text) is
  'Removes a consumer and its place; pruning no longer keeps events for it. It waits for a transaction that is consuming. DJR20: there is no consumer of this name.';
--! EndIncluded functions/public/drop_consumer.sql
--! Included functions/public/reset_consumer.sql
create or replace function djr.reset_consumer(
  name text,
  "from" text default 'place'
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _found djr._consumer := djr._find_consumer(reset_consumer.name);
  _frontier pg_snapshot;
begin
  if reset_consumer."from" is distinct from 'place' then
    if djr._has_fixed_snapshot() then
      -- With mode share other callers may have noted events as done since this snapshot. It does not see those rows, so they could not
      -- be deleted here, and they would hide events from the consumer.
      raise exception using
        errcode = 'DJR10',
        message = format(
          'a consumer must be reset in isolation level read committed (it is %s)',
          current_setting('transaction_isolation')
        ),
        detail = 'It does not see what other callers have done meanwhile.',
        hint = 'begin isolation level read committed; select djr.reset_consumer(...); commit;';
    end if;
    -- Events that a restore brought are marked first, to tell them from new ones. This call and the next lock the settings before the
    -- consumer is locked, in the same order as a deletion.
    perform djr.repair_xids();
    _frontier := djr._consumer_from(reset_consumer."from");
  end if;
  perform from djr._consumer where _consumer.id = _found.id for update;
  if reset_consumer."from" = 'place' then
    if not exists (select from djr._consumer where _consumer.id = _found.id and _consumer.mark = _consumer.xmin) then
      perform djr._place_of(_found);
    end if;
    update djr._consumer_place
    set
      overtaken_at = null,
      reason = null,
      lost = null
    where _consumer_place.consumer = _found.id;
    return;
  end if;

  delete from djr._consumer_done where _consumer_done.consumer = _found.id;
  update djr._consumer_place
  set
    frontier = _frontier,
    upto = null,
    last_id = null,
    until_id = null,
    overtaken_at = null,
    reason = null,
    lost = null,
    moved_at = clock_timestamp()
  where _consumer_place.consumer = _found.id;
  -- Two updates: the first writes the row, so that its xmin is this transaction; the second stores that xmin as the mark.
  update djr._consumer set mark = null where _consumer.id = _found.id;
  update djr._consumer set mark = _consumer.xmin where _consumer.id = _found.id;
end
$$;

comment on function djr.reset_consumer(text, text) is
  'Lets a consumer that was overtaken (DJR22) go on. By default it keeps its place, and lost events stay lost; or it begins anew at now, start, or a position, as in djr.create_consumer. It waits for a transaction that is consuming.';
--! EndIncluded functions/public/reset_consumer.sql

--! Included functions/internal/_rights.sql
-- The one list of the rights that grant_publish, grant_consume, grant_seal and grant_server give. A migration takes every other right
-- away, and djr doctor reports it.
create or replace function djr._rights() returns table (
  capability text,
  privilege text,
  kind text,
  object text,
  columns text[]
)
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('publish', 'USAGE', 'schema', 'djr', null::text[]),
    ('publish', 'SELECT', 'table', 'djr._grant', array['publish']),
    ('publish', 'INSERT', 'table', 'djr.event', array['scope', 'user_id', 'topic', 'type', 'detail', 'private_data', 'key']),
    ('consume', 'USAGE', 'schema', 'djr', null),
    ('consume', 'SELECT', 'table', 'djr._grant', array['consume']),
    ('consume', 'SELECT', 'table', 'djr.consumer', null),
    ('consume', 'SELECT', 'table', 'djr._consumer', null),
    ('seal', 'USAGE', 'schema', 'djr', null),
    ('seal', 'SELECT', 'table', 'djr._grant', array['seal']),
    ('server', 'USAGE', 'schema', 'djr', null),
    ('server', 'SELECT', 'table', 'djr._grant', array['server']),
    ('server', 'SELECT', 'table', 'djr.event', null),
    ('server', 'SELECT', 'table', 'djr.activity', null),
    ('server', 'INSERT', 'table', 'djr.activity', null),
    ('server', 'SELECT', 'table', 'djr.settings', null),
    ('server', 'SELECT', 'table', 'djr.instance', null),
    ('server', 'SELECT', 'table', 'djr.event_status', null),
    ('server', 'SELECT', 'table', 'djr.grantee', null),
    ('server', 'SELECT', 'table', 'djr.consumer', null),
    ('server', 'SELECT', 'table', 'djr._consumer', null),
    ('server', 'SELECT', 'table', 'djr.seal_key', null),
    ('server', 'SELECT', 'table', 'djr.revocation', null),
    ('server', 'SELECT', 'table', 'djr.presence', null),
    ('server', 'SELECT', 'table', 'djr.online', null),
    ('server', 'SELECT', 'table', 'djr.relay_mark', null),
    ('server', 'SELECT', 'table', 'djr.migrations', null),
    ('server', 'SELECT', 'sequence', 'djr.delivery_mode', null),
    ('server', 'SELECT', 'sequence', 'djr.unstored_dropped', null),
    ('server', 'SELECT', 'sequence', 'djr.seal_longest', null)
  union all
  select 'publish', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr._publish(text, text, text, jsonb, jsonb, text, text, boolean)',
    'djr._publish(text, text, text, jsonb, jsonb, text)',
    'djr.publish(text, text, jsonb, jsonb, text)',
    'djr.publish(text, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(smallint, text, jsonb, jsonb, text)',
    'djr.publish(smallint, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(integer, text, jsonb, jsonb, text)',
    'djr.publish(integer, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(bigint, text, jsonb, jsonb, text)',
    'djr.publish(bigint, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(numeric, text, jsonb, jsonb, text)',
    'djr.publish(numeric, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish(uuid, text, jsonb, jsonb, text)',
    'djr.publish(uuid, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_public(text, jsonb, jsonb, text)',
    'djr.publish_public(varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_global(text, jsonb, jsonb, text)',
    'djr.publish_global(varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_topic(text, text, jsonb, jsonb, text)',
    'djr.publish_topic(text, varchar, jsonb, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, text, jsonb, text)',
    'djr.publish_system(varchar, jsonb, text, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, smallint, jsonb, text)',
    'djr.publish_system(varchar, jsonb, smallint, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, integer, jsonb, text)',
    'djr.publish_system(varchar, jsonb, integer, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, bigint, jsonb, text)',
    'djr.publish_system(varchar, jsonb, bigint, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, numeric, jsonb, text)',
    'djr.publish_system(varchar, jsonb, numeric, jsonb, text, boolean)',
    'djr.publish_system(text, jsonb, uuid, jsonb, text)',
    'djr.publish(text, anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish(anynonarray, anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_public(anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_global(anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_topic(text, anycompatiblenonarray, json, json, text, boolean)',
    'djr.publish_system(anycompatiblenonarray, json, text, json, text, boolean)',
    'djr.publish_system(anycompatiblenonarray, json, anynonarray, json, text, boolean)',
    'djr._base_type(oid)',
    'djr._type_of(anycompatiblenonarray)',
    'djr._user_of_any(anynonarray)',
    'djr.publish_system(varchar, jsonb, uuid, jsonb, text, boolean)',
    'djr._user_of(numeric)',
    'djr.publish_many(jsonb)',
    'djr.publish_row()',
    'djr.position()'
  ]) granted
  union all
  select 'consume', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr.consume(text, integer, text)',
    'djr.create_consumer(text, text, text[], text[])',
    'djr.drop_consumer(text)',
    'djr.reset_consumer(text, text)',
    'djr.position()'
  ]) granted
  union all
  select 'server', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr.channel()',
    'djr.position()',
    'djr.epoch()',
    'djr.renew_epoch(text)',
    'djr.set_delivery_mode(text)',
    'djr.pace_unstored(boolean)',
    'djr.repair_xids()',
    'djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text)',
    'djr.forget_instance(text)',
    'djr.record_relay_mark(text, text, bigint, text, pg_snapshot, timestamptz)',
    'djr.record_activity(text, bigint[], text[], text[], integer[])',
    'djr._acknowledge(text, text[], bigint[], text[])',
    'djr.acknowledge(text, bigint[], text)',
    'djr.prune(interval)',
    'djr.prune_batch(interval, integer)',
    'djr._prune_turn(integer)',
    'djr.authorize_topics(text[], text[])',
    'djr._authorize_topic_function()',
    'djr.report_presence(text, text[], text[], integer[], boolean)',
    'djr.presence_of(text[])',
    'djr.disconnect(text, text)',
    'djr.recheck(text, text)',
    'djr._order(text, text, text, text)',
    'djr.replay(bigint)',
    'djr.replay(bigint[])',
    'djr._excess_rights()'
  ]) granted
  union all
  select 'seal', 'EXECUTE', 'function', granted, null
  from unnest(array[
    'djr._seal(text[], text, interval)',
    'djr.seal(text, text, interval)',
    'djr.seal(text, smallint, interval)',
    'djr.seal(text, integer, interval)',
    'djr.seal(text, bigint, interval)',
    'djr.seal(text, numeric, interval)',
    'djr.seal(text, uuid, interval)',
    'djr.seal(text[], text, interval)',
    'djr.seal(text[], smallint, interval)',
    'djr.seal(text[], integer, interval)',
    'djr.seal(text[], bigint, interval)',
    'djr.seal(text[], numeric, interval)',
    'djr.seal(text[], uuid, interval)',
    'djr.disconnect(text, text)',
    'djr.disconnect(smallint, text)',
    'djr.disconnect(integer, text)',
    'djr.disconnect(bigint, text)',
    'djr.disconnect(numeric, text)',
    'djr.disconnect(uuid, text)',
    'djr.recheck(text, text)',
    'djr.recheck(smallint, text)',
    'djr.recheck(integer, text)',
    'djr.recheck(bigint, text)',
    'djr.recheck(numeric, text)',
    'djr.recheck(uuid, text)',
    'djr._order(text, text, text, text)',
    'djr._user_of(numeric)',
    'djr.position()'
  ]) granted
$$;

comment on function djr._rights() is
  'What djr.grant_publish, djr.grant_consume, djr.grant_seal and djr.grant_server give, a right a row. Internal.';
--! EndIncluded functions/internal/_rights.sql
--! Included functions/internal/_app_grants.sql
-- An app may add columns to djr.event and let roles write them by a plain INSERT. What it grants on these columns is its own concern.
create or replace function djr._app_grants() returns table (
  grantee oid,
  column_name name,
  privilege text,
  is_grantable boolean
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select entry.grantee, own.attname, entry.privilege_type, entry.is_grantable
  from pg_attribute own
  cross join aclexplode(own.attacl) entry
  where own.attrelid = 'djr.event'::regclass
    and own.attnum > 0
    and not own.attisdropped
    and own.attname <> all (
      array['id', 'xid', 'created_at', 'replay_of', 'scope', 'type', 'user_id', 'topic', 'key', 'detail', 'private_data']
    )
$$;

comment on function djr._app_grants() is
  'The privileges on columns of djr.event that the app has added. A migration leaves them alone. Internal.';
--! EndIncluded functions/internal/_app_grants.sql
--! Included functions/internal/_acl.sql
-- Every privilege that exists, read from the catalogs, whoever granted it and however, but for those on columns of the app's own. A function or a type whose ACL is null has
-- PostgreSQL's default, which includes PUBLIC.
create or replace function djr._acl() returns table (
  grantee oid,
  kind text,
  object text,
  column_name text,
  privilege text
)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select entry.grantee, listed.kind, listed.object, listed.column_name, held.privilege
  from (
    select 'schema' as kind, 'djr' as object, null::text as column_name, own.nspowner as owner, own.nspacl as acl
    from pg_namespace own
    where own.nspname = 'djr'
    union all
    select
      case own.relkind when 'S' then 'sequence' else 'table' end,
      own.oid::regclass::text,
      null,
      own.relowner,
      own.relacl
    from pg_class own
    where own.relnamespace = 'djr'::regnamespace
      and own.relkind in ('r', 'v', 'm', 'f', 'p', 'S')
    union all
    select 'table', own.oid::regclass::text, attribute.attname::text, own.relowner, attribute.attacl
    from pg_class own
    join pg_attribute attribute on attribute.attrelid = own.oid
    where own.relnamespace = 'djr'::regnamespace
      and not attribute.attisdropped
      and attribute.attacl is not null
      and not (
        own.oid = 'djr.event'::regclass
        and attribute.attname in (select app.column_name from djr._app_grants() app)
      )
    union all
    select
      'routine',
      own.oid::regprocedure::text,
      null,
      own.proowner,
      coalesce(own.proacl, acldefault('f', own.proowner))
    from pg_proc own
    where own.pronamespace = 'djr'::regnamespace
    union all
    select 'type', own.oid::regtype::text, null, own.typowner, coalesce(own.typacl, acldefault('T', own.typowner))
    from pg_type own
    where own.typnamespace = 'djr'::regnamespace
      and own.typrelid = 0
      and own.typelem = 0
      and own.typtype in ('d', 'e', 'b', 'r')
  ) listed
  cross join aclexplode(listed.acl) entry
  -- Who may grant a right to others can do more than who has it.
  cross join lateral unnest(
    array[entry.privilege_type] || case when entry.is_grantable then entry.privilege_type || ' WITH GRANT OPTION' end
  ) held (privilege)
  where held.privilege is not null
    and entry.grantee <> listed.owner
$$;

comment on function djr._acl() is
  'Every privilege on an object of djr that a role other than its owner has; grantee 0 is PUBLIC. Internal.';
--! EndIncluded functions/internal/_acl.sql
--! Included functions/internal/_excess_rights.sql
create or replace function djr._excess_rights() returns table (
  role text,
  rights text[],
  usable boolean
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  with granted as (
    select
      case grantee.role when 'public' then 0 else (select oid from pg_roles where rolname = grantee.role) end as grantee,
      grantee.capability
    from djr.grantee
  ),
  expected as (
    select
      granted.grantee,
      case listed.kind when 'function' then 'routine' else listed.kind end as kind,
      case listed.kind
        when 'schema' then listed.object
        when 'function' then to_regprocedure(listed.object)::text
        else to_regclass(listed.object)::text
      end as object,
      column_name,
      listed.privilege
    from granted
    join djr._rights() listed on listed.capability = granted.capability
    left join lateral unnest(listed.columns) column_name on true
  ),
  actual as materialized (
    select * from djr._acl()
  ),
  excess as (
    select * from actual
    except
    select * from expected
  )
  select
    case excess.grantee when 0 then 'public' else pg_get_userbyid(excess.grantee)::text end,
    array_agg(
      lower(excess.privilege) || coalesce(' (' || excess.column_name || ')', '') || ' on ' || excess.object
      order by excess.object collate "C", excess.privilege, excess.column_name
    ),
    exists (
      select
      from actual
      where actual.kind = 'schema'
        and actual.grantee in (0, excess.grantee)
    )
  from excess
  group by excess.grantee
  union all
  -- Membership in one of PostgreSQL's predefined roles gives rights that stand in no ACL.
  select
    member.rolname::text,
    array_agg('everything that members of ' || of_server.rolname || ' may' order by of_server.rolname),
    true
  from pg_roles member
  join pg_roles of_server on of_server.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain')
  where not member.rolsuper
    and member.rolname !~ '^pg_'
    and pg_has_role(member.oid, of_server.oid, 'usage')
    and member.oid <> (select nspowner from pg_namespace where nspname = 'djr')
  group by member.rolname
  order by 1
$$;

comment on function djr._excess_rights() is
  'The roles that have more rights on djr than its grants gave them, and those rights; a right is usable only if the role may use the schema. The owner and superusers are left out; public means every role. Internal: djr doctor and djr migrate print it.';
--! EndIncluded functions/internal/_excess_rights.sql
--! Included functions/internal/_require_role.sql
create or replace function djr._require_role(role name) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if _require_role.role is null then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be the name of a role (it is null)',
      hint = 'Pass the name as PostgreSQL has it: select rolname from pg_roles.';
  elsif _require_role.role <> 'public' and not exists (select from pg_roles where rolname = _require_role.role) then
    raise exception using
      errcode = '42704',
      message = format('role %s does not exist', to_json(_require_role.role)),
      detail = 'The name is taken as it is: no quotes around it, and capital letters count.',
      hint = 'The roles there are: select rolname from pg_roles.';
  end if;
end
$$;

comment on function djr._require_role(name) is
  'Raises DJR13 for null and 42704 for a role that does not exist. Internal.';
--! EndIncluded functions/internal/_require_role.sql
--! Included functions/internal/_grant.sql
create or replace function djr._grant(capability text, role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _right record;
begin
  for _right in
    select * from djr._rights() listed
    where listed.capability = _grant.capability
      -- The table of migrations does not exist if a tool other than djr migrate made the schema.
      and (listed.kind in ('schema', 'function') or to_regclass(listed.object) is not null)
  loop
    execute format(
      'grant %s%s on %s %s to %I',
      _right.privilege, ' (' || array_to_string(_right.columns, ', ') || ')', _right.kind, _right.object, _grant.role
    );
  end loop;
end
$$;

comment on function djr._grant(text, name) is
  'Gives a role the rights of one capability (publish, consume, seal or server) and records the grant. Internal.';
--! EndIncluded functions/internal/_grant.sql
--! Included functions/internal/_revoke.sql
create or replace function djr._revoke(capability text, role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _right record;
  _kept text[];
begin
  perform djr._require_role(_revoke.role);
  select array_agg(grantee.capability)
  into _kept
  from djr.grantee
  where grantee.role = _revoke.role
    and grantee.capability <> _revoke.capability;

  for _right in
    select * from djr._rights() listed
    where listed.capability = _revoke.capability
      and (listed.kind in ('schema', 'function') or to_regclass(listed.object) is not null)
  loop
    execute format(
      'revoke %s%s on %s %s from %I cascade',
      _right.privilege, ' (' || array_to_string(_right.columns, ', ') || ')', _right.kind, _right.object, _revoke.role
    );
  end loop;
  -- A right that another capability of the role gives as well is granted again.
  perform djr._grant(kept, _revoke.role) from unnest(_kept) kept;
end
$$;

comment on function djr._revoke(text, name) is
  'Takes the rights of one capability from a role, and its record. Internal.';
--! EndIncluded functions/internal/_revoke.sql
--! Included functions/public/grant_publish.sql
-- The first migration made it with one parameter.
drop function if exists djr.grant_publish(name);

-- Not SECURITY DEFINER: only the owner of the objects may grant rights on them. For any other role PostgreSQL itself refuses, with its
-- own message.
create or replace function djr.grant_publish(role name, everyone boolean default false) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_publish.role);
  if grant_publish.role = 'public' and grant_publish.everyone is not true then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role, unless everyone => true is said (it is public, which is every role there is)',
      detail = 'Every role of this database could publish any event to any user.',
      hint = 'Name the role that your app logs in as; or, if you mean it: select djr.grant_publish(''public'', everyone => true).';
  elsif grant_publish.role <> 'public' and grant_publish.everyone then
    raise exception using
      errcode = 'DJR13',
      message = format('the role must be public where everyone => true is said (it is %s)', to_json(grant_publish.role)),
      hint = 'Leave everyone out to grant one role.';
  end if;
  perform djr._grant('publish', grant_publish.role);
end
$$;

comment on function djr.grant_publish(name, boolean) is
  'Lets a role publish: publish*, an INSERT of the columns that are the publisher''s to set, and position. It cannot read an event back. The role public is refused (DJR13) unless everyone is true. It is recorded (djr.grantee) and holds over upgrades; djr.revoke_publish takes it back.';
--! EndIncluded functions/public/grant_publish.sql
--! Included functions/public/revoke_publish.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_publish(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('publish', revoke_publish.role);
end
$$;

comment on function djr.revoke_publish(name) is
  'Takes back what djr.grant_publish gave a role, or everyone (public). What the role has by djr.grant_server it keeps.';
--! EndIncluded functions/public/revoke_publish.sql
--! Included functions/public/grant_server.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.grant_server(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_server.role);
  if grant_server.role = 'public' then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role (it is public, which is every role there is)',
      detail = 'Every role of this database could read all events of all users.',
      hint = 'Name the role that the runtime logs in as.';
  end if;
  perform djr._grant('server', grant_server.role);
end
$$;

comment on function djr.grant_server(name) is
  'Gives a role what the runtime needs: reading events and settings, the channel, recording activity and acknowledgements, reporting itself in djr.instance, pruning and replaying. It cannot publish; where the runtime publishes too, use djr.grant_publish as well. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_server takes it back.';
--! EndIncluded functions/public/grant_server.sql
--! Included functions/public/revoke_server.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_server(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('server', revoke_server.role);
end
$$;

comment on function djr.revoke_server(name) is
  'Takes back what djr.grant_server gave a role. What the role has by djr.grant_publish it keeps.';
--! EndIncluded functions/public/revoke_server.sql
--! Included functions/public/grant_consume.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.grant_consume(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_consume.role);
  if grant_consume.role = 'public' then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role (it is public, which is every role there is)',
      detail = 'Every role of this database could read all events of all users.',
      hint = 'Name the role that your backend logs in as.';
  end if;
  perform djr._grant('consume', grant_consume.role);
end
$$;

comment on function djr.grant_consume(name) is
  'Lets a role consume: consume, create_consumer, drop_consumer, reset_consumer, the view djr.consumer, and position. It reads every event with its private data in this way, and cannot publish. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_consume takes it back.';
--! EndIncluded functions/public/grant_consume.sql
--! Included functions/public/revoke_consume.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_consume(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('consume', revoke_consume.role);
end
$$;

comment on function djr.revoke_consume(name) is
  'Takes back what djr.grant_consume gave a role. What the role has by other grants it keeps, and consumers keep their places.';
--! EndIncluded functions/public/revoke_consume.sql
--! Included functions/public/grant_seal.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives. Sealing is a grant of its own, because a role that may publish
-- must not therefore decide who listens.
create or replace function djr.grant_seal(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._require_role(grant_seal.role);
  if grant_seal.role = 'public' then
    raise exception using
      errcode = 'DJR13',
      message = 'the role must be one role (it is public, which is every role there is)',
      detail = 'Every role of this database could let anybody hear any topic.',
      hint = 'Name the role that your app logs in as.';
  end if;
  perform djr._grant('seal', grant_seal.role);
end
$$;

comment on function djr.grant_seal(name) is
  'Lets a role decide who hears what: seal, disconnect, recheck, and position. It can neither publish nor read an event. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_seal takes it back.';
--! EndIncluded functions/public/grant_seal.sql
--! Included functions/public/revoke_seal.sql
-- Not SECURITY DEFINER, for the reason that djr.grant_publish gives.
create or replace function djr.revoke_seal(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  perform djr._revoke('seal', revoke_seal.role);
end
$$;

comment on function djr.revoke_seal(name) is
  'Takes back what djr.grant_seal gave a role. What the role has by other grants it keeps. Seals that it made stay valid until they end.';
--! EndIncluded functions/public/revoke_seal.sql
--! Included privileges/exact.sql
-- The last step of each migration. PUBLIC may execute new functions, default privileges may give more, and somebody may have granted
-- rights on everything in the schema. All of that is taken away, and the recorded grants are given again, in the same transaction that
-- made the objects, so that no role sees the state in between.
do $$
declare
  _path pg_catalog.text := pg_catalog.current_setting('search_path');
  _grantees pg_catalog.jsonb;
  _excess pg_catalog.record;
  _held pg_catalog.record;
  _grantee pg_catalog.record;
  _apps pg_catalog.jsonb;
  _app pg_catalog.record;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select jsonb_agg(jsonb_build_object('role', grantee.role, 'capability', grantee.capability))
  into _grantees
  from djr.grantee;
  -- Revoking a right on a table takes it from the columns as well, also from those that the app has added.
  select jsonb_agg(app) into _apps from djr._app_grants() app;

  for _excess in
    select listed.role, listed.rights
    from djr._excess_rights() listed
    where listed.usable
      and listed.rights[1] !~ '^everything '
  loop
    raise notice 'djr: % had rights that nobody granted it, and has them no more: %', _excess.role,
      array_to_string(_excess.rights[1:5], ', ')
        || case when cardinality(_excess.rights) > 5 then format(' and %s more', cardinality(_excess.rights) - 5) else '' end
      using hint = 'To grant a use of djr: djr.grant_publish, djr.grant_consume, djr.grant_seal or djr.grant_server, as in select djr.grant_publish(ROLE).';
  end loop;

  for _held in
    select distinct held.grantee, held.kind, held.object
    from djr._acl() held
  loop
    execute format(
      'revoke all on %s %s from %s cascade',
      _held.kind,
      _held.object,
      case _held.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(_held.grantee)) end
    );
  end loop;

  for _grantee in
    select * from jsonb_to_recordset(_grantees) recorded (role name, capability text)
  loop
    perform djr._grant(_grantee.capability, _grantee.role);
  end loop;
  for _app in
    select * from jsonb_to_recordset(_apps) app (grantee oid, column_name name, privilege text, is_grantable boolean)
  loop
    execute format(
      'grant %s (%I) on djr.event to %s%s',
      _app.privilege,
      _app.column_name,
      case _app.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(_app.grantee)) end,
      case when _app.is_grantable then ' with grant option' end
    );
  end loop;
  perform set_config('search_path', _path, true);
end
$$;
--! EndIncluded privileges/exact.sql
--! EndIncluded index.sql
