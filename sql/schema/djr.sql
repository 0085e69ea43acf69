-- Not `create schema if not exists`, which needs CREATE on the database even if an administrator has already made the schema.
do $$
begin
  if pg_catalog.to_regnamespace('djr') is null then
    create schema djr;
  end if;
end
$$;

comment on schema djr is
  'Realtime events: djr.publish(...) in SQL, a DOM event in the browser. See docs/sql.md.';
