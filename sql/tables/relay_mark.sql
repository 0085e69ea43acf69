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
