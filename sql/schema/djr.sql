-- Not `create schema if not exists`: that asks for CREATE on the database even when an administrator made the schema for us.
do $$
begin
  if pg_catalog.to_regnamespace('djr') is null then
    create schema djr;
  end if;
end
$$;

comment on schema djr is
  'Realtime events: djr.publish(...) in SQL, a DOM event in the browser. See docs/sql.md.';
