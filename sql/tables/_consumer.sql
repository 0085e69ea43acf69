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
