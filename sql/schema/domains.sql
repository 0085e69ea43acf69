-- The rules for one column each, as domains and not as CHECKs of the table: PostgreSQL prepares a table's CHECKs anew for
-- every INSERT, and that took half the time of a publish; a domain's it prepares once a session.
-- Collation "C": comparison by bytes is what equality needs, and the cheapest index.
do $$
begin
  if pg_catalog.to_regtype('djr.event_type') is null then
    create domain djr.event_type as text collate "C"
      constraint event_type_length check (pg_catalog.length(value) between 1 and 200)
      -- No white space, no control characters, as Unicode has them, whatever the database's locale thinks.
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

  -- The stream and the browser client themselves say these words to a page. The first version reserved two of them only:
  -- events that have one of the others stay as they are. `not valid`, so that no table is read.
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

-- In a database of the first migrations the rule knows no topics. No row can break the wider one, so none is looked at.
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

-- Without its rules at first: a column of a type that has any is added by writing the whole table anew. They come in
-- tables/event.sql, behind the column.
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
