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
