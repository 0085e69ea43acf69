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
