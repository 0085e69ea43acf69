-- The rules that concern one column. They are domains and not CHECKs of the table, because PostgreSQL prepares a table's CHECKs anew for
-- every INSERT, which took half the time of a publish, and a domain's CHECKs once a session.
-- Collation "C" compares bytes: that is all that equality needs, and it makes the cheapest index.
do $$
begin
  if pg_catalog.to_regtype('djr.event_type') is null then
    create domain djr.event_type as text collate "C"
      constraint event_type_length check (pg_catalog.length(value) between 1 and 200)
      -- No white space and no control characters, as Unicode defines them: the database's locale plays no part.
      constraint event_type_characters check (
        value !~ E'[\\u0001-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]'
      );

    create domain djr.event_scope as text collate "C";

    create domain djr.event_user as text collate "C"
      constraint event_user_length check (pg_catalog.length(value) between 1 and 255);

    create domain djr.event_key as text collate "C"
      constraint event_key_length check (pg_catalog.length(value) between 1 and 255);

    create domain djr.event_detail as jsonb
      constraint event_detail_object check (pg_catalog.jsonb_typeof(value) = 'object');
  end if;

  -- The stream and the browser client use these types themselves. The first version reserved two of them only, so stored events may have
  -- one of the others: `not valid` lets them stay, and reads no table.
  if not exists (
    select
    from pg_catalog.pg_constraint
    where contypid = pg_catalog.to_regtype('djr.event_type')
      and conname = 'event_type_reserved'
      and pg_catalog.pg_get_constraintdef(oid) ~ 'presence'
  ) then
    alter domain djr.event_type drop constraint if exists event_type_reserved;
    alter domain djr.event_type add constraint event_type_reserved check (
      value !~ '^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)$|^djr:'
    ) not valid;
  end if;
end
$$;

-- In a database of the first migrations this rule has no topics. Every existing row satisfies the wider rule, so none is checked.
do $$
begin
  if not exists (
    select
    from pg_catalog.pg_constraint
    where pg_constraint.contypid operator(pg_catalog.=) 'djr.event_scope'::pg_catalog.regtype
      and pg_catalog.strpos(pg_catalog.pg_get_constraintdef(pg_constraint.oid), 'control') operator(pg_catalog.>) 0
  ) then
    alter domain djr.event_scope drop constraint if exists event_scope_known;
    alter domain djr.event_scope
      add constraint event_scope_known check (value in ('user', 'public', 'topic', 'system', 'control')) not valid;
  end if;
end
$$;

-- This domain is created without its rules: adding a column whose type has rules would rewrite the whole table. tables/event.sql adds
-- the rules after the column.
do $$
begin
  if pg_catalog.to_regtype('djr.event_topic') is null then
    create domain djr.event_topic as text collate "C";
  end if;
end
$$;

comment on domain djr.event_type is 'What happened: 1 to 200 characters, no white space, no control characters, none of connected, disconnected, reset, heartbeat, state, error, left, refused, presence, and not beginning with djr:.';
comment on domain djr.event_scope is 'user, public, topic or system; control: an order of djr.disconnect or djr.recheck to the runtimes.';
comment on domain djr.event_topic is 'A topic: 1 to 255 characters, no white space, no control characters. Topics are compared by their bytes.';
comment on domain djr.event_user is 'A user''s id as the app has it: 1 to 255 characters.';
comment on domain djr.event_key is 'An idempotency key: 1 to 255 characters.';
comment on domain djr.event_detail is 'A JSON object.';
