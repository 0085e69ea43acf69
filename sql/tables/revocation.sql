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
