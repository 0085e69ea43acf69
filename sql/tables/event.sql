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
