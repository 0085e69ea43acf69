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
