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
  'The roles that were granted a capability of djr: publish (djr.grant_publish), consume (djr.grant_consume), seal (djr.grant_seal) or server (djr.grant_server). Each migration gives exactly these their rights, and takes every other right to an object of djr away.';
comment on column djr.grantee.role is 'The role''s name; public is every role there is.';
comment on column djr.grantee.capability is 'publish, consume, seal or server.';
