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
