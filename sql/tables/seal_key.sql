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
