--! Previous: sha1:92e6cfd8444ce8d491ab0e4238cef87ad2787c9f
--! Hash: sha1:2d33ee860fc6cbfb3baba50cd2ca0e6d102c709c

-- Everything again: each file of sql/ can be applied to a database that has it.
--! Included index.sql
-- The schema from nothing, in the order in which objects need one another.
-- `npm run sql:commit` turns it into a migration; sql/README.md says how.

--! Included schema/djr.sql
-- Not `create schema if not exists`: that asks for CREATE on the database even when an administrator made the schema for us.
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
-- The rules for one column each, as domains and not as CHECKs of the table: PostgreSQL prepares a table's CHECKs anew for
-- every INSERT, and that took half the time of a publish; a domain's it prepares once a session.
-- Collation "C": comparison by bytes is what equality needs, and the cheapest index.
do $$
begin
  if pg_catalog.to_regtype('djr.event_type') is null then
    create domain djr.event_type as text collate "C"
      constraint event_type_length check (pg_catalog.length(value) between 1 and 200)
      -- No white space, no control characters, as Unicode has them, whatever the database's locale thinks.
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

  -- The stream and the browser client themselves say these words to a page. The first version reserved two of them only:
  -- events that have one of the others stay as they are. `not valid`, so that no table is read.
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

-- In a database of the first migrations the rule knows no topics. No row can break the wider one, so none is looked at.
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

-- Without its rules at first: a column of a type that has any is added by writing the whole table anew. They come in
-- tables/event.sql, behind the column.
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
-- Column order: the fixed widths first, so that no row carries padding between them.
-- What a column may hold is in its domain; that scope and user_id fit together, the trigger checks as it reads the row.
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

-- Behind the first migrations' columns, here and in a database that has them.
alter table djr.event add column if not exists topic djr.event_topic;

do $$
begin
  if not exists (
    select
    from pg_catalog.pg_constraint
    where pg_constraint.contypid = 'djr.event_topic'::pg_catalog.regtype
  ) then
    -- Not valid: every row there is has null, and none need be read for it.
    alter domain djr.event_topic
      add constraint event_topic_length check (pg_catalog.length(value) between 1 and 255) not valid;
    alter domain djr.event_topic
      add constraint event_topic_characters check (
        value operator(pg_catalog.!~) E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
      ) not valid;
  end if;
end
$$;

-- A sweep and a resume read what is new since a snapshot.
create index if not exists event_xid on djr.event (xid, id);
create index if not exists event_user on djr.event (user_id, id) where user_id is not null;
create index if not exists event_type on djr.event (type, id);
create index if not exists event_created_at on djr.event (created_at);
create unique index if not exists event_key on djr.event (key) where key is not null;
-- Partial: an app without topics does not pay for it.
create index if not exists event_topic on djr.event (topic, id) where topic is not null;
-- Partial: an event that replays none does not pay for it.
create index if not exists event_replay_of on djr.event (replay_of, id) where replay_of is not null;

comment on table djr.event is
  'One row an event, never updated. An INSERT publishes: the trigger checks the size and notifies.';
comment on column djr.event.id is
  'The number that publish* returned, and the first part of the id that a browser sees.';
comment on column djr.event.xid is
  'The transaction that published it: what is new since a snapshot is found by it, whatever order transactions commit in.';
comment on column djr.event.created_at is
  'When it was inserted (not when its transaction began or committed).';
comment on column djr.event.replay_of is
  'The event that this one sends again; null for an original. 0 for what djr itself orders (scope control): no publisher may set this column.';
comment on column djr.event.scope is
  'Who gets it: user (the one user_id names), public (every client), topic (the clients that may hear the topic), system (backend subscribers only), control (the runtimes, which carry out djr.disconnect and djr.recheck).';
comment on column djr.event.type is
  'What happened, in the app''s words. In the browser it is the DOM event djr:TYPE. 1 to 200 characters, no white space.';
comment on column djr.event.user_id is
  'The user of a user event, as the app identifies users; of a system event, whom it is about, if anyone.';
comment on column djr.event.topic is
  'The topic of a topic event: 1 to 255 characters, no white space. Null for every other scope.';
comment on column djr.event.key is
  'Idempotency key: a second publish under the same key stores and sends nothing, and one that differs in user, topic, scope or type is refused (DJR12).';
comment on column djr.event.detail is
  'A JSON object, sent to the client. With the envelope at most 7,999 bytes, or as many as the setting max_bytes allows.';
comment on column djr.event.private_data is
  'JSON for the backend''s eyes. It never leaves the database through NOTIFY or a client''s stream.';
comment on index djr.event_xid is 'New since a snapshot: sweep and resume.';
comment on index djr.event_user is 'One user''s events, newest or oldest first.';
comment on index djr.event_topic is 'Events of a topic, newest or oldest first.';
comment on index djr.event_type is 'Events of a type, newest or oldest first.';
comment on index djr.event_created_at is 'By time: pruning, and the admin''s date range.';
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

-- Behind the first migrations' columns.
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
  'The highest transaction of which events were deleted (by pruning or by hand), that truncated djr.event, or that switched storage on again: a client that resumes from before it is told to reset. Null: none has been.';
comment on column djr.settings.generation is
  'Part of djr.epoch(): a runtime sets it anew when events that it delivered are gone after a restart, as after a rolled-back storage snapshot. Null: that has not been.';
comment on column djr.settings.retention is
  'How long events are kept; the runtime prunes what is older. Null: for ever.';
comment on column djr.settings.consumer_retention is
  'For how long at most events past the retention are kept because a consumer has not had them, counted from their insert. Null: as long as it takes.';
comment on column djr.settings.storage is
  'Whether publish* store events. When false they validate and notify only: no resume, no replay, no sweep.';
comment on column djr.settings.one_row is
  'Always true, and the primary key: there is one row.';
comment on column djr.settings.channel is
  'The NOTIFY channel. A random name, because whoever knows it can listen: only the server role may read it.';
comment on column djr.settings.delivery is
  'How events reach the runtimes: notify (at once), sweep (publishers never notify), auto (notify until commits queue for it).';
comment on column djr.settings.authorize_topic is
  'A function of the app, (user_id text, topic text) returns boolean, that says who may hear a topic that a page asks for by name. Null: nobody, without a seal.';
comment on column djr.settings.queue_limit is
  'With delivery auto: the share of the NOTIFY queue, 0.001 to 1, from which publishers do not notify any more until it has emptied to half of that.';
comment on column djr.settings.max_bytes is
  'Bytes that the message of an event may have, 7999 to 1048576. What has more than 7999 NOTIFY cannot carry: it is a row and a doorbell, and a sweep brings it.';
comment on column djr.settings.largest_bytes is
  'The highest that max_bytes has been: events of that size may be stored, and the runtimes read so many rows at a time that they have room for them.';
comment on column djr.settings.activity is
  'What the runtimes record in djr.activity: off, summary (a row an event and instance), full (a row a user, too).';
--! EndIncluded tables/settings.sql
--! Included tables/activity.sql
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
--! EndIncluded tables/activity.sql
--! Included tables/delivery_mode.sql
-- A sequence, because its last_value is read without MVCC: a publisher in a repeatable-read transaction
-- that began an hour ago sees the mode of now.
create sequence if not exists djr.delivery_mode as integer minvalue 1 maxvalue 2 start 1;

comment on sequence djr.delivery_mode is
  'How events reach the runtimes now: last_value 1, publishers notify; 2, they do not and the runtimes sweep. Set by djr.set_delivery_mode and djr.configure.';
--! EndIncluded tables/delivery_mode.sql
--! Included tables/unstored_place.sql
-- A tenth of a second since 1970, times 2^20, and how many events came in it: one number, which nextval moves on without
-- that sessions wait for each other.
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
-- A table of its own, and not columns of djr.settings: djr.configure returns those, and a key does not belong on a screen.
create table if not exists djr.seal_key (
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  longest interval not null default '1 hour',
  -- A key for HMAC-SHA256, in both its padded forms: nothing is padded again for every seal.
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
  'The keys that seals are signed with: the newest, and while it is being rotated the one before. Made at the first seal; djr.configure(rotate_seal_key => true) makes another.';
comment on column djr.seal_key.created_at is 'When it was made.';
comment on column djr.seal_key.longest is 'For how long the longest seal that it signed is valid, an hour at least: revocations are kept as long.';
comment on column djr.seal_key.inner_key is 'The key, padded and combined with the inner pad of HMAC (RFC 2104).';
comment on column djr.seal_key.outer_key is 'The same with the outer pad.';
comment on column djr.seal_key.id is 'Names it in a seal.';
comment on column djr.seal_key.newest is 'Whether new seals are signed with it.';
comment on index djr.seal_key_newest is 'One of them is the newest.';
--! EndIncluded tables/seal_key.sql
--! Included tables/revocation.sql
-- Append-only: a unique row a user and topic would make two transactions that revoke wait for one another.
create table if not exists djr.revocation (
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  user_id text collate "C",
  topic text collate "C"
);

-- It has no key, and a publication for all tables asks for one.
alter table djr.revocation replica identity full;

create index if not exists revocation_created_at on djr.revocation (created_at);

comment on table djr.revocation is
  'What djr.recheck took back: seals whose snapshot does not see this transaction do not count any more for this user and topic. Rows go when no seal of before them is valid any more.';
comment on column djr.revocation.xid is 'The transaction that called djr.recheck.';
comment on column djr.revocation.created_at is 'When.';
comment on column djr.revocation.user_id is 'Whose seals; null: everyone''s.';
comment on column djr.revocation.topic is 'Of which topic; null: of every one.';
comment on index djr.revocation_created_at is 'What is old enough to go, and what a runtime reads at its start.';
--! EndIncluded tables/revocation.sql
--! Included tables/instance.sql
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
--! EndIncluded tables/instance.sql
--! Included tables/presence.sql
-- Unlogged, as djr.instance: after a crash each instance says it again.
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
comment on column djr.presence.instance is 'The runtime that has them; without a row of its own in djr.instance it is gone.';
comment on column djr.presence.topic is 'The topic that they hear; empty: any stream of this user.';
comment on column djr.presence.user_id is 'The user.';
comment on index djr.presence_instance is 'What one instance has written, to remove it.';
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
  'What was in the log of a relay, a row each 10 s of the last hour: where the engine has lost what it had acknowledged, a new generation of the log begins at one of these.';
comment on column djr.relay_mark.id is 'The newest has the highest.';
comment on column djr.relay_mark.taken_at is 'When the snapshot was taken.';
comment on column djr.relay_mark.snapshot is 'All events that are visible in it were in the log.';
comment on column djr.relay_mark.sequence is 'The sequence of the log up to which the engine had acknowledged it; 0: the generation begins.';
comment on column djr.relay_mark.namespace is 'Which relay, as the runtime''s option says it.';
comment on column djr.relay_mark.generation is 'Which log.';
comment on column djr.relay_mark.epoch is 'Which history of the database, as frames'' ids say it.';
--! EndIncluded tables/relay_mark.sql
--! Included tables/_grant.sql
-- The record of grant_publish, grant_consume, grant_seal and grant_server. It has no rows: a role that was granted a use has SELECT on the column of
-- that name. Default privileges and `grant … on all tables` never reach a column, so nobody gets there by accident; and
-- PostgreSQL keeps the record true: it follows a role that is renamed, goes with one that is dropped, and a dump (a
-- schema-only one, too) names the role and not its oid.
create table if not exists djr._grant (
  publish boolean,
  server boolean
);

alter table djr._grant add column if not exists seal boolean;
alter table djr._grant add column if not exists consume boolean;
-- As every table has: a publication for all tables asks for it.
alter table djr._grant replica identity full;

comment on table djr._grant is
  'Who was granted what, as privileges on its columns; it never has a row. Written by djr.grant_publish, djr.grant_consume, djr.grant_seal, djr.grant_server and their revoke_*, read through djr.grantee. Internal.';
comment on column djr._grant.publish is 'Who may select it was granted djr.grant_publish.';
comment on column djr._grant.server is 'Who may select it was granted djr.grant_server.';
comment on column djr._grant.consume is 'Who may select it was granted djr.grant_consume.';
comment on column djr._grant.seal is 'Who may select it was granted djr.grant_seal.';
--! EndIncluded tables/_grant.sql
--! Included tables/_consumer.sql
-- What a consumer is. Where it stands is a row of djr._consumer_place: this row is locked by whoever consumes, and changes
-- only when the consumer is reset.
create table if not exists djr._consumer (
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  id integer generated always as identity,
  -- The row's own xmin, told by PostgreSQL when it was written. A copy by rows (a dump, logical replication) has another one; a copy by
  -- pages (pg_upgrade, a standby, a backup) has not. So a migration must never write this table anew.
  mark xid,
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
  'The transaction that wrote this row; where PostgreSQL says another one, the row was restored from a dump, and the place means nothing here.';
comment on column djr._consumer.name is 'Its name.';
comment on column djr._consumer.types is 'The types that it gets; null: every one.';
comment on column djr._consumer.topics is 'The topics that it gets; null: every one, and events without a topic.';
--! EndIncluded tables/_consumer.sql
--! Included tables/_consumer_place.sql
-- Where a consumer stands. It has had every event that is visible in `frontier`; while a batch was smaller than what was due,
-- also those up to `last_id` of the events that are visible in `upto` and not in `frontier`.
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
comment on column djr._consumer_place.overtaken_at is 'When events were lost to it; null: none have been.';
comment on column djr._consumer_place.lost is 'How many, as far as that is known.';
comment on column djr._consumer_place.consumer is 'The consumer.';
comment on column djr._consumer_place.frontier is 'It has had all events that are visible in this snapshot.';
comment on column djr._consumer_place.upto is 'The window is what is visible in this snapshot and not in the frontier; null: there is none.';
comment on column djr._consumer_place.reason is 'Why events were lost to it.';
--! EndIncluded tables/_consumer_place.sql
--! Included tables/_consumer_done.sql
-- Events that a consumer has had out of order, because several callers share it. A row goes as soon as the place has come so far.
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
comment on column djr.event_status.recipients is 'To how many clients it was sent, all instances together.';
comment on column djr.event_status.errors is 'How often a hook failed for it: onReceive for each instance, beforeSend for each client.';
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
  'Which users hear a topic now; where topic is null: which are connected at all. Kept when the runtime''s option presence is on. The users of an instance that was killed are gone 30 s later.';
comment on column djr.online.topic is 'The topic; null: any stream.';
comment on column djr.online.user_id is 'The user: one row, however many tabs and instances.';
comment on column djr.online.streams is 'How many streams, all instances together.';
comment on column djr.online.since is 'Since when.';
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
  'The roles that were granted a use of djr: publish (djr.grant_publish), consume (djr.grant_consume), seal (djr.grant_seal) or server (djr.grant_server). Each migration gives exactly these their rights, and takes every other right to an object of djr away.';
comment on column djr.grantee.role is 'The role''s name; public is every role there is.';
comment on column djr.grantee.capability is 'publish, consume, seal or server.';
--! EndIncluded views/grantee.sql
--! Included views/consumer.sql
-- The filters are written out: a function in a view is called with the rights of whoever reads it.
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
comment on column djr.consumer.types is 'The types that it gets; null: every one.';
comment on column djr.consumer.topics is 'The topics that it gets; null: every one, and events without a topic.';
comment on column djr.consumer.created_at is 'When it was created.';
comment on column djr.consumer.moved_at is 'When its place moved last.';
comment on column djr.consumer.lag is 'Events that it has not had yet; counted up to 100,000.';
comment on column djr.consumer.age is 'Since the oldest of them was inserted; null: it has had all.';
comment on column djr.consumer.overtaken is 'Why it does not go on before djr.reset_consumer is called; null: it goes on.';
comment on column djr.consumer.overtaken_at is 'Since when it has lost events; null: it has lost none.';
comment on column djr.consumer.lost is 'How many events it has lost, as far as that is known.';
--! EndIncluded views/consumer.sql

--! Included functions/internal/_heal_settings.sql
-- A dump of the schema alone (pg_dump -s, structure.sql) brings the table of the settings without its row. Called only
-- where the row was not found: nobody else pays for it.
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
  'The NOTIFY channel, for the server role only. Where the row of djr.settings is missing, as after a restore of the schema alone, it is made again.';
--! EndIncluded functions/runtime/channel.sql
--! Included functions/internal/_encode.sql
-- Plain SQL without SET, so that the planner inlines it into its callers: an event is encoded once, without a call.
-- Of the first migrations: without a topic.
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
-- Of the first migrations: of one limit.
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
  'Raises DJR05. Internal.';
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
      message = place || 'a topic must have 1 to 255 characters',
      detail = case when topic is null then 'It is null.' else pg_catalog.format('It has %s.', pg_catalog.length(topic)) end,
      hint = 'Name what the clients follow: room:7.';
  elsif topic ~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]' then
    raise exception using
      errcode = 'DJR18',
      message = place || 'a topic must have no white space and no control characters',
      detail = pg_catalog.format('It is %s.', pg_catalog.to_json(topic)),
      hint = 'Use a colon between words: room:7.';
  end if;
end
$$;

comment on function djr._validate_topic(text, text) is
  'Raises DJR18 for what is no topic. Internal.';
--! EndIncluded functions/internal/_validate_topic.sql
--! Included functions/internal/_validate.sql
-- The rules, raised with SQLSTATEs of our own. The CHECKs of djr.event say the same for a plain INSERT:
-- whatever changes here changes there. `place` comes before the message, and says which of many events it is.
-- Of the first migrations: without a topic.
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
        message = place || 'an event of scope topic needs a topic',
        detail = 'The topic is null.',
        hint = 'Publish it with djr.publish_topic, or name the topic: room:7.';
    elsif user_id is not null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope topic must have no user_id',
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
        message = place || pg_catalog.format('an event of scope %s must have no topic', scope),
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
-- The rules of djr._validate for one column each, said in as few calls as can be: PL/pgSQL prepares an expression anew in
-- every transaction, and each function in it costs. Whether scope and user fit together the insert trigger sees anyway.
-- Plain SQL without SET, so that the planner inlines it; null counts as no.
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
  'Whether djr._validate would let type, user and detail pass; it says why not. Internal.';
--! EndIncluded functions/internal/_is_valid.sql
--! Included functions/internal/_fits.sql
-- Whether scope, user and topic fit together, for the insert trigger, which looks at every event. Plain SQL without SET, so that
-- the planner inlines it. 0 in replay_of is djr's own, for what djr.disconnect and djr.recheck order.
create or replace function djr._fits(
  scope text,
  user_id text,
  topic text,
  replay_of bigint
) returns boolean
language sql
immutable
as $$
  select case
    when topic is not null then scope operator(pg_catalog.=) 'topic' and user_id is null
    when user_id is null then scope operator(pg_catalog.=) any (array['public', 'system'])
    else scope operator(pg_catalog.=) any (array['user', 'system'])
  end or coalesce(replay_of operator(pg_catalog.=) 0, false)
$$;

comment on function djr._fits(text, text, text, bigint) is
  'Whether an event''s scope, user and topic fit together: what djr._validate raises DJR02 for. Internal.';
--! EndIncluded functions/internal/_fits.sql
--! Included functions/internal/_is_topic.sql
-- The rules of djr._validate_topic, for publishers of many. Plain SQL without SET, so that the planner inlines it.
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
  'Whether djr._validate_topic would let the topic pass; null passes. Internal.';
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
  'The scope of an event of djr.publish_many that may name none: topic where it has a topic, else user. Internal.';
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
  'Whether a runtime can read these values of an event: numbers that JavaScript holds, and a time that a Date does. Internal.';
--! EndIncluded functions/internal/_is_readable.sql
--! Included functions/internal/_refuse_unreadable.sql
-- Only the owner can set these columns. A row that has such a value would be an event that no runtime can deliver.
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
  'Raises DJR16. Internal.';
--! EndIncluded functions/internal/_refuse_unreadable.sql
--! Included functions/internal/_announce.sql
-- Runs for every publish, so it counts what it calls: each query and each function costs as much as an index. Without NOTIFY
-- one query says that nothing is to be refused; with it each event is encoded once, and as many as fit are packed into
-- one message, because each is one that every listener must fetch. Of thousands of events the first are sent; a doorbell
-- says that the others are to be read, which costs both sides less than so many messages.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Messages that may be sent.
  _room integer;
  _channel text;
  _line text;
  _misfit boolean;
  _most integer;
  _header json;
  _message text;
begin
  -- The mode is read without MVCC; it is null until it was first set. A header takes at most 110 bytes, four for each of
  -- a type's 200 characters and six for each of a user's or a topic's 255: with a detail up to 5,500 no message is too large, and needs
  -- no more exact look.
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
    -- What is encoded is what the loop comes to, and not all before they are sorted.
    select
      djr._encode(e.id, e.xid, e.scope, e.user_id, e.type, e.created_at, e.detail, e.topic),
      not djr._fits(e.scope, e.user_id, e.topic, e.replay_of)
        or not djr._is_readable(e.id, e.xid, e.created_at)
    from (
      select _new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail, _new.topic, _new.replay_of
      from _new
      -- publish_many inserts in the order of keys; the ids have the order that its caller gave.
      order by _new.id
    ) e
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
      -- NOTIFY cannot carry it: a sweep brings it, and all behind it, which must not pass it.
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
        -- Where none of the others can be refused they need not be encoded.
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
  'The insert trigger of djr.event: refuses what is too large (DJR05), for whom it cannot be (DJR02) or what no runtime could read (DJR16), and notifies. Internal.';
--! EndIncluded functions/internal/_announce.sql
--! Included triggers/event_announce.sql
create or replace trigger event_announce
after insert on djr.event
referencing new table as _new
for each statement
execute function djr._announce();

comment on trigger event_announce on djr.event is
  'Every insert publishes: checks the size and notifies, a statement at a time.';
--! EndIncluded triggers/event_announce.sql
--! Included functions/internal/_forget_activity.sql
-- Instead of a foreign key with ON DELETE CASCADE: a statement's events at once, not one by one. And whoever deletes events, by
-- djr.prune or by hand: in the same transaction the settings say so, by which a resume from before is told to reset.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _highest xid8;
begin
  if tg_op = 'DELETE' then
    -- max(xid8) is of PostgreSQL 15.
    select _old.xid into _highest from _old order by _old.xid desc limit 1;
    if not found then
      return null;
    end if;
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  -- Where the statement names both tables it is empty by now, and may not be truncated within the statement.
  else
    _highest := pg_current_xact_id();
    if exists (select from djr.activity) then
      truncate djr.activity;
    end if;
  end if;
  insert into djr.settings (pruned_xid) values (_highest)
  on conflict (one_row) do update set pruned_xid = excluded.pruned_xid
  where settings.pruned_xid is null or settings.pruned_xid < excluded.pruned_xid;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event by which the activity of events goes with them, and djr.settings.pruned_xid tells that they are gone. Internal.';
--! EndIncluded functions/internal/_forget_activity.sql
--! Included triggers/event_forget.sql
create or replace trigger event_forget
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._forget_activity();

comment on trigger event_forget on djr.event is
  'The activity of events goes with them, and the settings say up to which transaction events are gone.';

create or replace trigger event_forget_all
after truncate on djr.event
for each statement
execute function djr._forget_activity();

comment on trigger event_forget_all on djr.event is
  'The activity of all events goes with them, and the settings say that all are gone.';
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
  'Whether a consumer that stands there has not had this event, but for what its filters and djr._consumer_done say. Internal.';
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
  'Whether a consumer with these filters gets such an event. Internal.';
--! EndIncluded functions/internal/_is_for.sql
--! Included functions/internal/_overtake.sql
-- Whoever deletes events, djr.prune or somebody by hand, tells the consumers that had not had them, in the same transaction. The
-- place is looked at again under its lock: it waits for a transaction that consumes, as that may have read them.
create or replace function djr._overtake() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  -- What this transaction itself published nobody else has ever seen.
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
  'The trigger of djr.event by which a consumer knows that events were deleted that it had not had. Internal.';
--! EndIncluded functions/internal/_overtake.sql
--! Included functions/internal/_overtake_truncated.sql
-- Before the table is empty: TRUNCATE has its lock, so nobody consumes and nothing is published meanwhile.
create or replace function djr._overtake_truncated() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id integer;
  _lost bigint;
begin
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
  'The trigger of djr.event by which a consumer knows that the table was truncated before it had all of it. Internal.';
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
  'Tells every consumer that it may have lost events. Internal.';
--! EndIncluded functions/internal/_overtake_all.sql
--! Included triggers/event_overtake.sql
create or replace trigger event_overtake
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._overtake();

comment on trigger event_overtake on djr.event is
  'A consumer that had not had an event that is deleted is told so.';

create or replace trigger event_overtake_all
before truncate on djr.event
for each statement
execute function djr._overtake_truncated();

comment on trigger event_overtake_all on djr.event is
  'A consumer that had not had all events is told so.';
--! EndIncluded triggers/event_overtake.sql
--! Included functions/internal/_consumer_cutoff.sql
-- Up to when pruning may go for the consumers' sake. One that would be overtaken is locked, so that the trigger need not wait; one
-- that is at work, whose lock another transaction has, is not overtaken in this round.
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
            -- Else the oldest of them might be looked for in all of the table.
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
  'How old events must be for pruning, with regard to consumers, and which of those are at work. Internal.';
--! EndIncluded functions/internal/_consumer_cutoff.sql

--! Included functions/internal/_refuse_key.sql
-- It says nothing of the event that has the key: that one may be another publisher's, for another user.
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
  'Raises DJR12. Internal.';
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
--! Included functions/internal/_publish_once.sql
-- Called by djr._publish when there is a key, so that publishing without one does not pay for it.
-- A unique key makes its second publisher wait until the first one's transaction ends: there is no other way to know.
-- Of the first migrations: without a topic.
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
-- `on conflict (key)` cannot be qualified; every parameter is.
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
    -- Else it was pruned between the two statements, and the key is free again.
    exit when _id is not null;
  end loop;
  return _id;
end
$$;

comment on function djr._publish_once(text, text, text, jsonb, jsonb, text, text, boolean) is
  'Publishes unless the key was used before; returns the id of the event that has it (DJR12 if that one is another event, DJR06 with storage off or without a row). Internal.';
--! EndIncluded functions/internal/_publish_once.sql
--! Included functions/internal/_notify_only.sql
-- With storage off there is no row and no trigger: the id is still the sequence's, and the rules are the same, the trigger's among them.
-- It notifies in every delivery mode, because nobody sweeps what is not stored.
-- Of the first migrations: without a topic.
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
  -- NOTIFY takes one at commit. Taken now, it says to whoever resumes that this was in progress when storage came back.
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
  'An event with store => false as a line of a NOTIFY message: as djr._encode has it, without a transaction, and "unstored" behind the topic. Internal.';
--! EndIncluded functions/internal/_encode_unstored.sql
--! Included functions/internal/_passes.sql
-- NOTIFY holds a lock of the whole cluster until the commit is on disk. While delivery sweeps no stored event takes it, and
-- what is not stored must not make commits queue either: so many pass in a tenth of a second, and the rest is dropped and
-- counted. All is dropped while NOTIFY's queue fills up: once it is full, commits fail. Sequences, as they are the same for all sessions at once, and nobody waits for anybody.
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
-- Called by djr._publish and djr.publish_many, which have validated it. The size is looked at before anything is dropped: the
-- rules do not depend on how much is going on.
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
-- Called by djr.publish_many, which has looked at all of them. As many as fit go into one message.
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

-- What all publish* come to. No exception block (a subtransaction for each event would cost more than the event)
-- and no lock that outlives the statement.
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

  -- The setting is read by the insert itself: one statement instead of two.
  insert into djr.event (scope, user_id, type, detail, private_data, topic)
  select _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.topic
  from djr.settings
  where settings.storage
  returning event.id into _id;
  if _id is null then
    if not exists (select from djr.settings) then
      perform djr._heal_settings();
      return djr._publish(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key,
        _publish.topic, _publish.store
      );
    end if;
    return djr._notify_only(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.topic);
  end if;
  return _id;
end
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text, text, boolean) is
  'What publish, publish_public, publish_topic and publish_system come to; granted by djr.grant_publish. Internal.';

-- Of the first migrations. Kept: a session that planned a publish before an upgrade may call it after.
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
  'What a domain is over, through all domains between; any other type is its own base. Internal.';
--! EndIncluded functions/internal/_base_type.sql
--! Included functions/internal/_type_of.sql
-- The overloads that take a detail of type json leave the type of `type` open: then PostgreSQL prefers djr.publish(text, text, jsonb)
-- wherever a call fits both, as with '{}', which may be json as well as jsonb.
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
  'The type of an event as a text (DJR01 for what is none). Internal.';
--! EndIncluded functions/internal/_type_of.sql
--! Included functions/internal/_user_of.sql
-- 42.0 is user 42, as numeric has one value for both; 42.5 is nobody.
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
  'The text of a user''s id that is a numeric: without fraction, 42.0 is 42 (DJR03 for anything else). Internal.';
--! EndIncluded functions/internal/_user_of.sql
--! Included functions/internal/_user_of_any.sql
-- For the overloads that take a detail of type json, whose user_id has any type: what djr.publish takes with a detail of type jsonb.
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
  'The text of a user''s id of any type that djr.publish takes (DJR03 for any other). Internal.';
--! EndIncluded functions/internal/_user_of_any.sql
--! Included functions/public/publish.sql
-- An overload for each type that ids of users have. Plain SQL without SET, so that the planner puts djr._publish in their
-- place; that one checks and is SECURITY DEFINER.
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

-- Beside bigint and numeric an argument of one of these two would be ambiguous.
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

-- For a detail of type json, as json_build_object and row_to_json make it. djr._type_of says why no call becomes ambiguous.
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

-- The same with store. What tells a call of these from one of the others is that it names store; `type` is a varchar here, as with two
-- functions that take the same types a call that names neither would be ambiguous: a literal, or a text, fits the others better.
-- So none has to be dropped, and whoever publishes while an upgrade runs, or has a view or function that does, is not disturbed.
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

-- For a detail of type json, as json_build_object and row_to_json make it. djr._type_of says why no call becomes ambiguous.
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
  'Another name of djr.publish_public, which it had first.';

-- For a detail of type json, as json_build_object and row_to_json make it. djr._type_of says why no call becomes ambiguous.
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
    'system',
    publish_system.user_id,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key,
    null,
    true
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
    'system',
    publish_system.user_id::pg_catalog.text,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key,
    null,
    true
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
    'system',
    publish_system.user_id::pg_catalog.text,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key,
    null,
    true
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
    'system',
    publish_system.user_id::pg_catalog.text,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key,
    null,
    true
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
    'system',
    publish_system.user_id::pg_catalog.text,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key,
    null,
    true
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
    'system',
    djr._user_of(publish_system.user_id),
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key,
    null,
    true
  )
$$;

comment on function djr.publish_system(text, jsonb, numeric, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type numeric) or nobody, and returns its id. For the rest see djr.publish.';

-- For a detail of type json, as json_build_object and row_to_json make it. djr._type_of says why no call becomes ambiguous.
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
    'system',
    publish_system.user_id,
    djr._type_of(publish_system.type),
    publish_system.detail::pg_catalog.jsonb,
    publish_system.private_data::pg_catalog.jsonb,
    publish_system.key,
    null,
    publish_system.store
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
    'system',
    djr._user_of_any(publish_system.user_id),
    djr._type_of(publish_system.type),
    publish_system.detail::pg_catalog.jsonb,
    publish_system.private_data::pg_catalog.jsonb,
    publish_system.key,
    null,
    publish_system.store
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

-- For a detail of type json, as json_build_object and row_to_json make it. djr._type_of says why no call becomes ambiguous.
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
-- `on conflict (key)` cannot be qualified; the parameter is.
#variable_conflict use_column
declare
  _storage boolean;
  _members constant text[] := array['scope', 'user_id', 'topic', 'type', 'detail', 'private_data', 'key', 'store'];
  _keyed boolean := false;
  _unstored boolean := false;
  -- The first event's type, if it is a sound one: most have the same, and it is checked no second time. A constant in its
  -- place the planner works off.
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

  -- All of them in one query; only of the first that is wrong it is asked what.
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
    -- A misspelt user_id must not go unnoticed.
    if _element - _members <> '{}' then
      select jsonb_object_keys(_element - _members) into _unknown;
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
        message = format('events[%s]: scope, type, user_id, topic and key must be strings', _index),
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

  -- One look for both: who uses neither pays for neither.
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

  -- In the order of the array, which is then the order of the ids.
  if not _keyed and not _unstored then
    return query
    insert into djr.event (scope, user_id, type, detail, private_data, topic)
    select
      djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      element.value -> 'private_data',
      element.value ->> 'topic'
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    order by element.place
    returning event.id;
    return;
  end if;

  -- Ids first, so that each element knows its own whether or not its key was used before.
  select array_agg(nextval('djr.event_id_seq')) into _ids from generate_series(1, jsonb_array_length(publish_many.events));

  -- Whoever inserts a key makes others who insert it wait. In one order of keys for all, no two wait for one another.
  loop
    insert into djr.event (id, scope, user_id, type, detail, private_data, key, topic)
    overriding system value
    select
      _ids[element.place],
      djr._scope(element.value ->> 'scope', element.value ->> 'topic'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      element.value -> 'private_data',
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
    -- Else one that had a key of these was pruned between the two statements, and the key is free again.
    exit when not _again;
  end loop;

  if _index is not null then
    perform djr._refuse_key(publish_many.events -> _index::integer ->> 'key', format('events[%s]: ', _index));
  end if;
  if _unstored then
    _found := djr._publish_many_unstored(publish_many.events, _found);
  end if;
  return query
  select unnest(_found);
end
$$;

comment on function djr.publish_many(jsonb) is
  'Publishes an array of {scope, user_id, topic, type, detail, private_data, key, store} in one statement with few NOTIFYs and returns their ids in order. Without a scope it is topic where there is a topic, else user, so that a forgotten user_id is an error and not an event for everyone. A key that another event has is refused (DJR12), be it of the same call. All or nothing: an error says which, as in events[3].';
--! EndIncluded functions/public/publish_many.sql
--! Included functions/internal/_type_form.sql
-- What djr._row_value makes of a type. No name of it is given away: types are told apart by their number, and those below
-- 16384 came with the cluster.
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
  'plain: to_jsonb is safe for the type; json, composite, array: it has to be taken apart; text: its output function is all that is safe. Internal.';
--! EndIncluded functions/internal/_type_form.sql
--! Included functions/internal/_json_value.sql
-- What jsonb cannot hold: \u0000, half a surrogate pair, a number of more than 131,072 digits.
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
-- jsonb_build_object takes 100 arguments and no more, which is fifty members.
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
  'An expression that makes pairs of an expression each, name and value, into a JSON object. Internal.';
--! EndIncluded functions/internal/_row_object.sql
--! Included functions/internal/_row_value.sql
-- The expression that makes a value into what to_jsonb has for it. `value` is an expression of the type `type`.
--
-- djr.publish_row runs with the rights of djr's owner, so no expression may reach code that a type's owner wrote. to_jsonb
-- calls a cast to json of any type that is not built in, wherever it finds one: in arrays, domains and composite types, too.
-- To look first whether there is such a cast would not do, as another session can make one in between. Output functions are
-- safe, because only a superuser makes base types. Hence:
-- - built-in types, domains over them, and arrays of both go through to_jsonb as they are;
-- - any other type's value is its output, a text; concat() takes the output function where a cast may be somebody's code;
-- - an array of such values is the array of the texts: array_out and array_in agree on what a text[] is;
-- - a composite value is taken apart. Another session may exchange a member's type while nobody looks, unlike that of a
--   column in use, so that a member goes through to_jsonb only where it has the built-in type that was read here;
-- - json may hold what jsonb cannot, such as \u0000, and the app's own write must not fail for it.
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
      -- Of more than one dimension: the elements are texts.
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
  'An expression that makes a value of a type into jsonb as to_jsonb does, but never through code of the type''s owner: then as the type''s output text. Internal.';
--! EndIncluded functions/internal/_row_value.sql
--! Included functions/internal/_row_id.sql
-- JSON.parse makes 9007199254740993 into ...992, and two rows' `djr:TYPE:ID` into one. An object would be "[object Object]".
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
-- Names are as the table has them, capitals and all. In double quotes, as SQL has it, one may hold a comma.
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
-- What the second argument of djr.publish_row says, as texts and names of columns by turns: {"", user_id} or
-- {"room:", room_id, ""}. Null: for everyone.
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
  -- Behind the last text there is no column.
  return trim_array(_audience, 1);
end
$$;

comment on function djr._row_audience(text, regclass, text) is
  'The second argument of djr.publish_row as texts and names of columns by turns; null for everyone. DJR08 for a topic that can be none. Internal.';
--! EndIncluded functions/internal/_row_audience.sql
--! Included functions/internal/_row_audience_value.sql
-- An expression of djr._row_audience's parts, the columns among them expressions by now.
create or replace function djr._row_audience_value(
  parts text[]
) returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when _row_audience_value.parts is null then 'null::pg_catalog.text'
    -- A user. Who nobody is (null or empty) djr._row_events knows.
    when cardinality(_row_audience_value.parts) = 2 then _row_audience_value.parts[2]
    else (
      select string_agg(
        case
          -- %: the expression is for format().
          when part.place % 2 = 1 then replace(quote_literal(part.value), '%', '%%') || '::pg_catalog.text'
          -- A row that is in no room is in no room called "room:".
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
-- Of the first migrations.
drop function if exists djr._row_columns(regclass, text[]);
drop function if exists djr._row_columns(regclass, text[], text, text);

-- Three expressions of a row, for format(): %1$s is the row. They are made anew whenever a trigger fires, as the only places
-- that could keep them (settings, prepared statements, temporary tables) are anybody's to write. So there is one query, and
-- what most columns need is said here; djr._row_value looks at the others.
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
  -- Texts and names of columns by turns: the names become expressions.
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
    -- 16384: the first number of a type that is not built in. json may hold what jsonb cannot.
    _is_plain := _type < 16384 and _type not in ('json'::regtype, 'json[]'::regtype);
    _value := case
      when _is_plain then 'pg_catalog.to_jsonb(' || _reference || ')'
      else djr._row_value(_reference, _type)
    end;
    if _name = any(_row_columns.columns) then
      -- jsonb_build_object itself takes a built-in type as to_jsonb does.
      _pairs := _pairs || (
        replace(quote_literal(_name), '%', '%%') || ', ' || case when _is_plain then _reference else _value end
      );
    end if;
    if _name = any(_audience_columns) then
      _value_text := case
        -- As djr.publish(column, ...) has it: char(n) without its blanks, which do not count. The cast of a built-in type is
        -- nobody's to change.
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
        -- 2- and 4-byte integers, uuid, text, varchar, char(n): no number that is too large.
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
  'Three expressions of a row, with %1$s in its place: the named columns as a JSON object, the user or the topic as a text, and the value of :id, of the primary key without an id_column. DJR08 for a column that is not there or that no trigger can read. Internal.';
--! EndIncluded functions/internal/_row_columns.sql
--! Included functions/internal/_row_brief.sql
-- Called for large details only.
-- Of the first migrations: of users only.
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
  -- What the message may have, without what it has besides: 110 bytes are the most that djr.event's own fields take, the null and
  -- the comma of an event with a topic among them.
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
  'The detail of a row''s event if it fits into a message; else :id, :old_id, op and truncated, without the ids where even they are too large. Internal.';
--! EndIncluded functions/internal/_row_brief.sql
--! Included functions/internal/_row_misfit.sql
-- Of the first migrations: of users only.
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
  'Raises DJR03 or DJR18, or warns and says false: a row''s user or topic is one that no event can have. Internal.';
--! EndIncluded functions/internal/_row_misfit.sql
--! Included functions/internal/_row_members.sql
-- Plain SQL without SET, so that the planner inlines it. Few calls for what most rows have: an id that stays.
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
  'What the detail of a row''s event has besides its columns. Internal.';
--! EndIncluded functions/internal/_row_members.sql
--! Included functions/internal/_row_events.sql
-- Which events a changed row makes, and for whom: the one place that says so, for a row and for a statement of them.
-- Plain SQL without SET, so that the planner puts it into its callers' queries. audience: the user or the topic.
-- Of the first migrations: of users only.
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
    -- Whom (or which room) an update takes the row from must see it go, under the id that they know.
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
          -- Not for a user who never had the row under the old one.
          case
            when op operator(pg_catalog.=) 'update'
              and not coalesce(before_id operator(pg_catalog.=) after_id, before_id is null and after_id is null)
              and coalesce(before_audience operator(pg_catalog.=) after_audience, before_audience is null and after_audience is null)
              then before_id
          end
        )
    -- A row that belongs to nobody (a guest's order) is for nobody; in no case for everyone.
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
  'The events of one row that djr.publish_row was fired for: op, the columns, the user or topic, and the id before and after. Internal.';
--! EndIncluded functions/internal/_row_events.sql
--! Included functions/internal/_row_statement.sql
-- The events of a statement's rows, in the order of the rows. No WITH: its names would hide the tables of the rows, whose
-- names are the app's.
--
-- PostgreSQL appends the old and the new row of an update to the two tables in one step, so that they have one place in
-- both, and a row whose id changed is found as well. Where an old row has no new one (a trigger of a partition refused the
-- row that was to move there) places say nothing: then rows are matched by their ids.
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
  'A query for the events of all rows that a statement changed; djr.publish_row runs it, who alone sees their tables. Internal.';
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
  'Raises DJR08. Internal.';
--! EndIncluded functions/internal/_refuse_trigger.sql
--! Included functions/public/publish_row.sql
-- Of the first migrations.
drop function if exists djr._publish_row(text, text, text, text[], text, jsonb);

-- SECURITY DEFINER, so that whoever may change the row need not be allowed to publish anything else. The formats of texts
-- are not the session's: two sessions must not call one row, or one user, by two names.
create or replace function djr.publish_row() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO'
set intervalstyle = 'postgres'
set bytea_output = 'hex'
set extra_float_digits = 1
-- Nothing here runs long enough for compiling to pay.
set jit = off
-- Plans are the same whatever the row: none is worth making anew for it.
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

  -- Whom it is for: one case for each kind of audience.
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
  'A trigger function for any table: after insert or update or delete ... for each row execute function djr.publish_row(type, user column, topic:room:{column} for a topic, or '''' for everyone, columns to send, id column, truncate or refuse). For statements of many rows declare it for each statement instead, a trigger for each of insert, update and delete, with referencing old table as ... new table as .... detail has the columns as to_jsonb has them, op (insert, update or delete) and :id (the primary key, or the column of the fourth argument), as a text unless it is a safe integer of JavaScript; after a change of the id it has :old_id, too. A topic has names of columns in braces, as many as it takes. Nothing is published for a row without a user, or with a null or empty column of the topic, or when no named column changed; the user, or the topic, that an update takes the row from gets op delete. A user or a topic that no event can have is a warning, and no event. A row too large for an event is published as :id, op and truncated: true; with refuse as fifth argument the write fails with DJR05, or DJR03 or DJR18. DJR08 if the trigger does not fit the table.';
--! EndIncluded functions/public/publish_row.sql
--! Included functions/public/replay.sql
-- A replay is a row like any other, so it is durable, swept and resumed, and told apart by replay_of.
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

  -- What djr.disconnect and djr.recheck order is carried out once: who has logged in again since must not be cut off.
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
-- Who holds the row of settings in an open transaction is no reason to wait for ever, and in silence.
set lock_timeout = '10s'
as $$
declare
  _older_than interval := coalesce(prune_batch.older_than, (select settings.retention from djr.settings));
  _pruned bigint;
  _expired timestamptz;
  _cutoff timestamptz;
  _limit timestamptz;
  -- Consumers that another transaction is at work for; null: there is no consumer.
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
    -- With storage off nothing is to be kept, and orders are rows all the same: long carried out by then.
    delete from djr.event
    using djr.settings
    where not settings.storage
      and event.replay_of = 0
      and event.created_at < clock_timestamp() - interval '1 hour';
    -- No retention set and none given: events are kept for ever.
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
      -- What committed late may be older than what a consumer waits for.
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
    -- Another pruner has those; both go on.
    for update skip locked
  ),
  deleted as (
    delete from djr.event
    using expired
    where event.id = expired.id
    returning event.id
  )
  -- The trigger event_forget says in the settings up to where.
  select count(*)
  into _pruned
  from deleted;

  if _pruned = 0 then
    -- Of events that are long gone: a transaction that deletes them with an older snapshot does not see what was recorded since.
    delete from djr.activity
    where activity.event_id < (select min(event.id) from djr.event);
  end if;
  return _pruned;
end
$$;

comment on function djr.prune_batch(interval, integer) is
  'Deletes the oldest events past the retention (or older than given), at most `batch` of them, and returns how many. Events that a consumer has not had stay, until they are older than the setting consumer_retention: then that consumer is overtaken (DJR22). Called in a transaction each until it returns 0, pruning never holds a lock for long: djr prune and the runtime do so.';
--! EndIncluded functions/runtime/prune_batch.sql
--! Included functions/internal/_prune_turn.sql
-- The row of settings is the lock: only what runs with the rights of djr's owner can lock it, and skip locked waits for nobody.
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
  'Deletes events past the retention (or older than given) and returns how many: all in the caller''s transaction. For much at once use djr.prune_batch, or the command djr prune.';
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
    -- Whoever deletes one of these waits until its activity is there to be deleted with it; one that is being deleted is left out.
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
  'Records steps of events, one an element, and returns how many rows were written. Events that are not stored, or pruned meanwhile, are left out; with activity off all are. The runtime calls it in batches.';
--! EndIncluded functions/runtime/record_activity.sql
--! Included functions/internal/_acknowledge.sql
-- Many users in one statement: the runtime puts the acknowledgements of all pages into one call.
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
    -- In one order for all: two that insert the same rows wait for each other's, and never both at once.
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
  'What acknowledge comes to, for many users at once: for each element whether it is an event of that user; granted by djr.grant_server. Internal.';
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
  'Records that a user''s page got (delivered) or showed (read) events of that user, and returns the ids of those that are: somebody else''s, public and unknown ones are left out. A second time changes nothing; with activity off nothing is stored. DJR10 for another status.';
--! EndIncluded functions/public/acknowledge.sql

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
  'Makes the key that seals are signed with from now on; the one before it stays valid, and those before that one do not. Internal.';
--! EndIncluded functions/internal/_new_seal_key.sql
--! Included functions/internal/_seal_key.sql
create or replace function djr._seal_key(valid interval) returns djr.seal_key
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _key djr.seal_key;
begin
  -- Two that need the first key at the same time: one waits here, and then finds it.
  lock table djr.seal_key in share row exclusive mode;
  update djr.seal_key
  set longest = greatest(seal_key.longest, _seal_key.valid)
  where seal_key.newest
  returning * into _key;
  if not found then
    _key := djr._new_seal_key();
    update djr.seal_key
    set longest = greatest(seal_key.longest, _seal_key.valid)
    where seal_key.newest;
  end if;
  return _key;
end
$$;

comment on function djr._seal_key(interval) is
  'The key to sign with, made where there is none, and noted for how long a seal is to be valid. Internal.';
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
-- STABLE: so its snapshot is that of the calling query, which read who may hear what. What has to write is a function of its own.
-- djr1.KEY.CONTENT.SIGNATURE: the content is a JSON array of topic (of several an array), user, the second at which it ends, and the snapshot that it was
-- made in (what djr.recheck took back is told from what it did not by that), in base64url;
-- the signature is HMAC-SHA256 of all that stands before it. The runtime checks it without a query.
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
  _snapshot pg_snapshot := pg_current_snapshot();
  _text text;
  _signature bytea;
begin
  -- Of a user who is in no room array_agg makes null.
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
      message = 'a user_id must have 1 to 255 characters',
      detail = format('It has %s.', length(_seal.user_id)),
      hint = 'Pass the id by which your login knows the user; null seals for everyone who has the seal.';
  elsif _seal.valid is null or _seal.valid <= interval '0' or _seal.valid > interval '31 days' then
    raise exception using
      errcode = 'DJR19',
      message = 'a seal must be valid for more than no time and at most 31 days',
      detail = format('It is %s.', coalesce(_seal.valid::text, 'null')),
      hint = 'An hour is the default: a page asks for a new one in time.';
  end if;

  select * into _key from djr.seal_key where seal_key.newest;
  if not found or _seal.valid > _key.longest then
    _key := djr._seal_key(_seal.valid);
  end if;

  _text := json_build_array(
    case cardinality(_seal.topics)
      when 1 then to_json((select wanted.topic from unnest(_seal.topics) as wanted (topic)))
      else (select json_agg(wanted.topic) from unnest(_seal.topics) as wanted (topic))
    end,
    _seal.user_id,
    floor(extract(epoch from clock_timestamp() + _seal.valid))::bigint,
    -- Beside very many open transactions: to have seen less is always right.
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
  'What djr.seal comes to; granted by djr.grant_seal. Internal.';
--! EndIncluded functions/internal/_seal.sql
--! Included functions/public/seal.sql
-- An overload for each type that ids of users have, for one topic and for several: an address has no room for a hundred seals. STABLE, for the snapshot of the query that calls them: see djr._seal.
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
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a text, or with null for whoever has it that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a smallint, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is an integer, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a bigint, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a numeric, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear a topic, to be handed to a page: for one user, whose id is a uuid, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear several topics, 100 at most (of none it is null), to be handed to a page: for one user, whose id is a text, or with null for whoever has it that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear several topics, 100 at most (of none it is null), to be handed to a page: for one user, whose id is a smallint, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear several topics, 100 at most (of none it is null), to be handed to a page: for one user, whose id is an integer, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear several topics, 100 at most (of none it is null), to be handed to a page: for one user, whose id is a bigint, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear several topics, 100 at most (of none it is null), to be handed to a page: for one user, whose id is a numeric, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';

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
  'A signed permission to hear several topics, 100 at most (of none it is null), to be handed to a page: for one user, whose id is a uuid, that ends after `valid`, 31 days at most. A page reads it in the query that reads its state and djr.position(), so that all three are of one snapshot.';
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
  'The qualified name of the function that the setting authorize_topic names; null: there is none. Internal.';
--! EndIncluded functions/internal/_authorize_topic_function.sql
--! Included functions/runtime/authorize_topics.sql
-- Without a search_path of its own: the app's function finds its tables as it does in the app's own sessions of this role.
-- Everything here is qualified instead.
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
    -- One question at which the app's function fails must not cost the others their answer: each is asked by itself.
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
  'Asks the function of the setting authorize_topic, one element a question (a null user is anonymous): whether each may hear the topic. Null and an error of the function are no; failure has the message of the last error. The runtime calls it, with its own rights.';
--! EndIncluded functions/runtime/authorize_topics.sql
--! Included functions/internal/_order.sql
-- What djr.disconnect and djr.recheck tell the runtimes: a row like an event's, with a scope and a mark in replay_of that no
-- publisher can write. It is a row with storage off, too: a sweep finds it where a NOTIFY was not heard, or none is sent.
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
    where revocation.created_at < clock_timestamp() - (select max(seal_key.longest) from djr.seal_key);
  end if;
  insert into djr.event (scope, type, user_id, detail, replay_of)
  values ('control', _order.type, _order.user_id, _detail, 0);
end
$$;

comment on function djr._order(text, text, text, text) is
  'Stores and announces an order to the runtimes; granted by djr.grant_seal and djr.grant_server. Internal.';
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
create or replace function djr.recheck(
  user_id text default null,
  topic text default null
) returns void
language sql
as $$
  select djr._order('recheck', recheck.user_id, null, recheck.topic)
$$;

comment on function djr.recheck(text, text) is
  'Has every runtime ask again, within a second of the commit, whether the clients of this user (null: of everyone) may still hear this topic (null: every one). Seals made by a query that did not see this transaction no longer count for them. Call it in the transaction that deletes the membership.';
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
  -- In one order, for no two instances to wait for one another; each writes rows of its own only.
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
    -- Many names are not told: the others look at all that they have.
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
  'Writes how many streams an instance has of which user for which topic (empty: any), 0 for none, and tells the other instances which topics changed. `afresh` forgets first what it wrote before. The runtime calls it in batches when its option presence is on.';
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
  'The users who hear each of these topics now, on any instance. The runtime calls it when it has heard that one changed.';
--! EndIncluded functions/runtime/presence_of.sql

--! Included functions/public/position.sql
create or replace function djr.position() returns text
language sql
stable
as $$
  select pg_catalog.pg_current_snapshot()::pg_catalog.text
$$;

comment on function djr.position() is
  'Where the stream stands in the calling statement''s snapshot. A page that reads its state and this in one statement (or one repeatable-read transaction) and connects with ?since= misses nothing and sees nothing twice.';
--! EndIncluded functions/public/position.sql
--! Included functions/runtime/epoch.sql
-- SECURITY DEFINER for pg_control_system(), which some services keep from ordinary roles but not from the owner.
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
  'Which history of this database it is: timeline, database, cluster and generation. It changes after a failover, a point-in-time restore, a restore elsewhere, or when a runtime notices that a storage snapshot was rolled back: transaction ids no longer compare then.';
--! EndIncluded functions/runtime/epoch.sql
--! Included functions/runtime/renew_epoch.sql
-- Compare and set, under the lock of the row: of many runtimes that notice at once, one makes the new epoch.
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
  'Begins another epoch, unless another runtime has begun one since the given one, and returns the epoch. Every client is told to reset. The runtime calls it when events that it delivered are gone after a restart of PostgreSQL.';
--! EndIncluded functions/runtime/renew_epoch.sql
--! Included functions/internal/_ring.sql
-- A doorbell saves instances the wait for their next sweep, and nothing more: where PostgreSQL's queue has no room for it, it
-- must not fail what it announces. That may be the very change that takes publishers off NOTIFY.
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
-- For the schema's owner: not granted to anyone, and not SECURITY DEFINER.
-- With a parameter more it would be a second function.
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
      message = 'the setting queue_limit must be between 0.001 and 1',
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
    -- As it will be called, whatever the search_path is then.
    begin
      select format('%I.%I', pg_namespace.nspname, pg_proc.proname)
      into _function
      from pg_proc
      join pg_namespace on pg_namespace.oid = pg_proc.pronamespace
      where pg_proc.oid = to_regprocedure(configure.authorize_topic || '(text, text)')
        and pg_proc.prorettype = 'boolean'::regtype;
    exception when syntax_error or invalid_name then
      -- What is no name at all, named below.
    end;
    if _function is null then
      raise exception using
        errcode = 'DJR10',
        message = 'the setting authorize_topic must name a function (text, text) returns boolean',
        detail = format('There is none named %s.', configure.authorize_topic),
        hint = 'Name it with its schema, app.may_hear; '''' stops asking.';
    end if;
  end if;

  -- Where the row is missing this makes it.
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
    -- What was published meanwhile was not stored: for whoever does not see this transaction yet it is as good as pruned.
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
    -- On the channel that the runtimes listen on: they read the settings anew, the channel's name included.
    perform djr._ring(_before.channel);
  end if;
  return _after;
end
$$;

comment on function djr.configure(boolean, text, interval, text, text, real, text, boolean, interval, integer) is
  'Changes the settings that are given and returns all of them. max_bytes, 7999 to 1048576, lets events through that NOTIFY cannot carry; retention => ''0'' keeps events for ever; consumer_retention => ''0'' keeps them until every consumer has had them, where it is else a week at most; authorize_topic => '''' stops asking; rotate_seal_key => true signs seals with a new key, beside which the one before stays valid. For the schema''s owner.';
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
  -- An instance that waits for a NOTIFY would hear of the change only at its next backstop sweep.
  perform djr._ring(_channel);
  return true;
end
$$;

comment on function djr.set_delivery_mode(text) is
  'Sets how events reach the runtimes, notify or sweep, at once and for every session, and rings the runtimes. Does nothing and returns false unless the setting delivery is auto.';
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
  'Halves how many events with store => false may pass in a second while delivery is sweep, as commits queue for NOTIFY; else raises it by an eighth. Returns the new limit, 20 to 10000.';
--! EndIncluded functions/runtime/pace_unstored.sql
--! Included functions/runtime/repair_xids.sql
-- A dump restored into a younger cluster brings transaction ids that lie in the future. Left alone, every sweep would
-- find those rows new. A committed row of this cluster is never concerned: what a snapshot sees is below its xmax.
create or replace function djr.repair_xids() returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _repaired bigint;
begin
  -- Instances start at once: one repairs, and the others wait for it, instead of each for rows of another.
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
  'After a restore into another cluster: sets transaction ids that lie in the future to the oldest there is, and returns of how many events. The runtime calls it when it starts.';
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
-- Whatever holds the row, an instance says it again 5 s later.
set lock_timeout = '1s'
as $$
declare
  _now timestamptz := clock_timestamp();
begin
  -- Its own row no other instance removes, and what another is removing it leaves alone: no two wait for one another.
  delete from djr.instance
  where instance.name in (
    select gone.name
    from djr.instance gone
    where gone.seen_at < _now - interval '1 day'
    for update skip locked
  );

  -- Of instances that were killed.
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
  'Says that a runtime is there, and its totals since its start: writes its row of djr.instance, and removes rows not seen for a day. lag_ms may be null. The runtime calls it every 5 s.';
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
    -- The users of it are gone: the others look again.
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
  'Remembers how far the log of a relay is: writes a row of djr.relay_mark, and removes all but the last hour''s. The source that writes the log calls it every 10 s.';
--! EndIncluded functions/runtime/record_relay_mark.sql

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
  'A snapshot in which this transaction, below its xmax, is in progress. Internal.';
--! EndIncluded functions/internal/_without.sql
--! Included functions/internal/_consumer_snapshot.sql
-- A snapshot does not list the transaction that takes it, although its events are to come only when it has committed: one that
-- publishes behind its own djr.consume would else be passed over.
create or replace function djr._consumer_snapshot() returns pg_snapshot
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

comment on function djr._consumer_snapshot() is
  'The current snapshot with the calling transaction among those in progress. Internal.';
--! EndIncluded functions/internal/_consumer_snapshot.sql
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
    -- Dropped meanwhile.
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
-- The next events behind a place, in the order of ids within what one snapshot made visible: an event that was inserted when
-- another had been committed comes behind it. Few are read by the index on xid; many, where a consumer has been away, are a
-- window that is read by id, batch by batch.
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
  _seed bigint := hashtextextended('djr consumer', (_take_due.consumer).id);
  _is_new boolean := false;
  _in_progress xid8[];
  -- All of the window, where they are few.
  _few bigint[];
  _some bigint[];
  _wanted integer;
  _at bigint;
begin
  ids := '{}';
  loop
    if _place.upto is null then
      _is_new := true;
      _place.upto := djr._consumer_snapshot();
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
          -- Else the lowest of them might be looked for in all of the table.
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
        -- Held until the transaction ends: who gets the lock then finds the event done, or due again.
        ids := ids || array(
          select candidate.id
          from unnest(_some) candidate (id)
          where pg_try_advisory_xact_lock(hashint8extended(candidate.id, _seed))
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
  'The next events for a consumer that stands there, and where it stands behind them. Purpose take: all of them; share: those that no other caller has taken; look: only where the first of them is, in front of which the place is then. Internal.';
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
  'Moves a consumer. Internal.';
--! EndIncluded functions/internal/_move_consumer.sql
--! Included functions/internal/_fold_done.sql
-- The first event that is still open is due, or another caller has taken it and not committed: the place goes as far as to it.
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
  -- A snapshot has no equality.
  if _behind::text <> _place::text then
    perform djr._move_consumer(_behind);
  end if;
end
$$;

comment on function djr._fold_done(djr._consumer) is
  'Moves the place of a shared consumer up to the first event that is not done, unless another caller is about that. Internal.';
--! EndIncluded functions/internal/_fold_done.sql
--! Included functions/internal/_has_fixed_snapshot.sql
-- PostgreSQL takes read uncommitted for read committed, and says the former.
create or replace function djr._has_fixed_snapshot() returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select current_setting('transaction_isolation') in ('repeatable read', 'serializable')
$$;

comment on function djr._has_fixed_snapshot() is
  'Whether all statements of this transaction see the same. Internal.';
--! EndIncluded functions/internal/_has_fixed_snapshot.sql
--! Included functions/internal/_share_due.sql
-- Callers that share a consumer take events each for itself, under a lock an event, and note them as done. The place follows when
-- nothing before it is open any more; whoever gets its row moves it, and the others do not wait.
create or replace function djr._share_due(consumer djr._consumer, max_events integer) returns bigint[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- With one snapshot for the whole transaction nothing can be looked at again.
  _is_fixed boolean := djr._has_fixed_snapshot();
  _place djr._consumer_place;
  _ids bigint[];
  _taken integer;
begin
  if _is_fixed then
    -- Fails with 40001 if the place has moved since the snapshot, and holds it where it is.
    perform from djr._consumer_place place where place.consumer = (_share_due.consumer).id for share;
  end if;
  loop
    _place := djr._place_of(_share_due.consumer);
    select due.ids into _ids
    from djr._take_due(_share_due.consumer, _place, least(_share_due.max_events, 1000), 'share') due;
    _taken := cardinality(_ids);
    exit when _taken = 0;
    if not _is_fixed then
      -- Of some the lock was free because another caller has had them, and has ended since they were read.
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
    -- With a fixed snapshot a conflict is an error, 40001.
    insert into djr._consumer_done (consumer, event_id, xid)
    select (_share_due.consumer).id, event.id, event.xid
    from djr.event
    where event.id = any (_ids)
    on conflict do nothing;
    exit when cardinality(_ids) > 0;
  end loop;

  -- With a fixed snapshot a move of the place makes concurrent callers fail with 40001: it moves when many events are noted.
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
    return djr._consumer_snapshot();
  elsif _consumer_from."from" = 'start' then
    -- Nothing is visible in it, and what a restore brought gets transaction 3.
    return '1:1:';
  elsif _consumer_from."from" ~ E'^\\d{1,19}:\\d{1,19}:(\\d{1,19}(,\\d{1,19})*)?$' then
    begin
      _from := _consumer_from."from"::pg_snapshot;
    exception when invalid_text_representation then
      -- Named below.
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

  -- Until this transaction ends nobody deletes events: the one who deletes would not see this consumer, and would not tell it.
  select settings.pruned_xid into _pruned from djr.settings for share;
  if _pruned is not null and not pg_visible_in_snapshot(_pruned, _from) then
    raise exception using
      errcode = 'DJR22',
      message = 'events behind this position were deleted',
      detail = format('The position is %s; transaction %s published what was deleted.', left(_from::text, 200), _pruned),
      hint = 'Fetch the state anew and begin at its position, or begin at ''start'': with what is still stored.';
  end if;
  -- What the caller's own transaction publishes behind this call is to come as well.
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
-- The first look takes no lock and writes nothing, so that polling an idle consumer costs as little as reading; it has also
-- locked djr.event before the consumer's row, in the order of TRUNCATE.
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
    -- As exists() it might be looked for in all of the table.
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
      -- What callers who share have done since the snapshot is not seen, and the place has not moved for it: it is a conflict
      -- here, 40001. The move takes these rows away again.
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
  'The next events for a consumer, oldest first, and moves its place in the caller''s transaction: what the transaction does with them and the place commit together. It goes by snapshot, as a sweep does, so an event that commits late comes late and is not skipped. No rows: nothing is due. mode wait (the default) waits while another transaction consumes; skip returns nothing then; share takes events that no other caller has, and they come again if its transaction is rolled back. DJR20: there is no such consumer. DJR22: it was overtaken. DJR06: storage is off.';
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
    perform djr._validate_topic(_one);
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
  'Makes a consumer, which keeps its place for djr.consume. It begins with what commits from now on (now), with everything that is stored (start), or at a position: what djr.position() returned. `from` is a reserved word: give it second, or write "from" => ''start''. With types or topics it gets only events of those; with both, of both. DJR21: there is one of this name.';
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
  'Removes a consumer with its place; pruning respects it no longer. It waits for the transaction that consumes. DJR20: there is none of this name.';
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
      -- What callers who share have noted as done since the snapshot could not be taken away, and would hide events.
      raise exception using
        errcode = 'DJR10',
        message = format(
          'a consumer must be reset in isolation level read committed (it is %s)',
          current_setting('transaction_isolation')
        ),
        detail = 'It does not see what other callers have done meanwhile.',
        hint = 'begin isolation level read committed; select djr.reset_consumer(...); commit;';
    end if;
    -- What a restore brought is to be told from what is new. Both lock the settings, as a deletion does, and before the consumer.
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
  -- Written by this transaction, and then told which one that is.
  update djr._consumer set mark = null where _consumer.id = _found.id;
  update djr._consumer set mark = _consumer.xmin where _consumer.id = _found.id;
end
$$;

comment on function djr.reset_consumer(text, text) is
  'Lets a consumer go on that was overtaken (DJR22). By default it stays in its place, and what was lost is lost; or it begins anew: now, start, or a position, as for djr.create_consumer. It waits for the transaction that consumes.';
--! EndIncluded functions/public/reset_consumer.sql

--! Included functions/internal/_rights.sql
-- The one list of what grant_publish, grant_consume, grant_seal and grant_server give. What is not here a migration takes away, and doctor reports.
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
    ('server', 'SELECT', 'sequence', 'djr.unstored_dropped', null)
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
    'djr._order(text, text, text, text)',
    'djr._user_of(numeric)',
    'djr.position()'
  ]) granted
$$;

comment on function djr._rights() is
  'What djr.grant_publish, djr.grant_consume, djr.grant_seal and djr.grant_server give, a right a row. Internal.';
--! EndIncluded functions/internal/_rights.sql
--! Included functions/internal/_acl.sql
-- The privileges that there are, from the catalogs: whoever gave them, and however. A null ACL of a function or a type is
-- PostgreSQL's default, which has PUBLIC in it.
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
  select entry.grantee, listed.kind, listed.object, listed.column_name, entry.privilege_type
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
  where entry.grantee <> listed.owner
$$;

comment on function djr._acl() is
  'Every privilege on an object of djr that somebody else than its owner has; grantee 0 is PUBLIC. Internal.';
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
  -- What comes with a role of PostgreSQL's own has no entry in an ACL.
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
  'The roles that can do more than they were granted, with the rights that are too many; usable when they may use the schema at all. The owner and superusers are left out; public is every role. Internal: djr doctor and djr migrate print it.';
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
      -- The table of the migrations is not there when another tool than djr migrate made the schema.
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
  'Gives a role the rights of one capability and records it. Internal.';
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
  -- What both capabilities have.
  perform djr._grant(kept, _revoke.role) from unnest(_kept) kept;
end
$$;

comment on function djr._revoke(text, name) is
  'Takes the rights of one capability from a role, and its record. Internal.';
--! EndIncluded functions/internal/_revoke.sql
--! Included functions/public/grant_publish.sql
-- Made by the first migration, with one parameter.
drop function if exists djr.grant_publish(name);

-- Not SECURITY DEFINER: who may grant is who owns the objects. Not every member may be granted by a role
-- that is not the owner, so it refuses in PostgreSQL's own words.
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
-- Not SECURITY DEFINER, as djr.grant_publish.
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
-- Not SECURITY DEFINER, as djr.grant_publish.
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
  'Gives a role what the runtime needs: reading events and settings, the channel, recording activity and acknowledgements, saying that it is there, pruning and replaying. It cannot publish; where the runtime publishes too, use djr.grant_publish as well. The role public is refused (DJR13). It is recorded (djr.grantee) and holds over upgrades; djr.revoke_server takes it back.';
--! EndIncluded functions/public/grant_server.sql
--! Included functions/public/revoke_server.sql
-- Not SECURITY DEFINER, as djr.grant_publish.
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
-- Not SECURITY DEFINER, as djr.grant_publish.
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
-- Not SECURITY DEFINER, as djr.grant_publish.
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
-- Not SECURITY DEFINER, as djr.grant_publish. A grant of its own: who publishes may not therefore listen.
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
-- Not SECURITY DEFINER, as djr.grant_publish.
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
-- The last of each migration. New functions are executable by PUBLIC, default privileges give what they like, and somebody
-- may have granted on everything in the schema: all of it is taken away, and what is recorded is given again. It is one
-- transaction with what made the objects, so nobody sees them in between.
do $$
declare
  _path pg_catalog.text := pg_catalog.current_setting('search_path');
  _grantees pg_catalog.jsonb;
  _excess pg_catalog.record;
  _held pg_catalog.record;
  _grantee pg_catalog.record;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  select jsonb_agg(jsonb_build_object('role', grantee.role, 'capability', grantee.capability))
  into _grantees
  from djr.grantee;

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
  perform set_config('search_path', _path, true);
end
$$;
--! EndIncluded privileges/exact.sql
--! EndIncluded index.sql
