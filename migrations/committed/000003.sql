--! Previous: sha1:92e6cfd8444ce8d491ab0e4238cef87ad2787c9f
--! Hash: sha1:c79eac44c4dec04e03025eebafa4770b347e6f89

-- Everything again: each file of sql/ can be applied to a database that has it.
--! Included index.sql
-- The schema from nothing, in the order in which objects need one another.
-- `npm run sql:commit` turns it into a migration; sql/README.md says how.

--! Included schema/djr.sql
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
--! EndIncluded schema/djr.sql
--! Included schema/domains.sql
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
        value !~ '[\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]'
      );

    create domain djr.event_scope as text collate "C"
      constraint event_scope_known check (value in ('user', 'public', 'system'));

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

comment on domain djr.event_type is 'What happened: 1 to 200 characters, no white space, no control characters, none of connected, disconnected, reset, heartbeat, state, error, left, refused, presence, and not beginning with djr:.';
comment on domain djr.event_scope is 'user, public or system.';
comment on domain djr.event_user is 'A user''s id as the app has it: 1 to 255 characters.';
comment on domain djr.event_key is 'An idempotency key: 1 to 255 characters.';
comment on domain djr.event_detail is 'A JSON object.';
--! EndIncluded schema/domains.sql

--! Included tables/settings.sql
create table if not exists djr.settings (
  pruned_xid xid8,
  retention interval,
  storage boolean not null default true,
  one_row boolean not null default true,
  channel text collate "C" not null default 'djr_' || pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''),
  delivery text collate "C" not null default 'auto',
  activity text collate "C" not null default 'summary',
  constraint settings_pkey primary key (one_row),
  constraint settings_one_row check (one_row),
  constraint settings_retention check (retention > interval '0'),
  -- NOTIFY's own limit is 63 bytes.
  constraint settings_channel check (pg_catalog.octet_length(channel) between 1 and 63),
  constraint settings_delivery check (delivery in ('auto', 'notify', 'sweep')),
  constraint settings_activity check (activity in ('off', 'summary', 'full'))
);

insert into djr.settings default values
on conflict do nothing;

comment on table djr.settings is
  'The settings of djr in this database, in one row. Change them with djr.configure(...).';
comment on column djr.settings.pruned_xid is
  'The highest transaction that pruning removed an event of, or that switched storage on again: who resumes from before it is told to reset. Null: neither has been.';
comment on column djr.settings.retention is
  'How long events are kept; the runtime prunes what is older. Null: for ever.';
comment on column djr.settings.storage is
  'Whether publish* store events. When false they validate and notify only: no resume, no replay, no sweep.';
comment on column djr.settings.one_row is
  'Always true, and the primary key: there is one row.';
comment on column djr.settings.channel is
  'The NOTIFY channel. A random name, because whoever knows it can listen: only the server role may read it.';
comment on column djr.settings.delivery is
  'How events reach the runtimes: notify (at once), sweep (publishers never notify), auto (notify until commits queue for it).';
comment on column djr.settings.activity is
  'What the runtimes record in djr.activity: off, summary (a row an event and instance), full (a row a user, too).';
--! EndIncluded tables/settings.sql
--! Included tables/event.sql
-- Column order: the fixed widths first, so that no row carries padding between them.
-- What a column may hold is in its domain; that scope and user_id fit together, the trigger checks as it reads the row.
create table if not exists djr.event (
  id bigint generated always as identity,
  xid xid8 not null default pg_catalog.pg_current_xact_id(),
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  replay_of bigint,
  scope djr.event_scope not null,
  type djr.event_type not null,
  user_id djr.event_user,
  key djr.event_key,
  detail djr.event_detail not null default '{}',
  private_data jsonb,
  constraint event_pkey primary key (id)
);

-- A sweep and a resume read what is new since a snapshot.
create index if not exists event_xid on djr.event (xid, id);
create index if not exists event_user on djr.event (user_id, id) where user_id is not null;
create index if not exists event_type on djr.event (type, id);
create index if not exists event_created_at on djr.event (created_at);
create unique index if not exists event_key on djr.event (key) where key is not null;
-- Partial: an event that replays none does not pay for it.
create index if not exists event_replay_of on djr.event (replay_of, id) where replay_of is not null;

comment on table djr.event is
  'One row an event, never updated. An INSERT publishes: the trigger checks the size and notifies.';
comment on column djr.event.id is
  'The number that publish* returned, and the first part of the id that a browser sees.';
comment on column djr.event.xid is
  'The transaction that published it: what is new since a snapshot is found by it, whatever order transactions commit in.';
comment on column djr.event.created_at is
  'When it was inserted (not when its transaction began or committed).';
comment on column djr.event.replay_of is
  'The event that this one sends again; null for an original.';
comment on column djr.event.scope is
  'Who gets it: user (the one user_id names), public (every client), system (backend subscribers only).';
comment on column djr.event.type is
  'What happened, in the app''s words. In the browser it is the DOM event djr:TYPE. 1 to 200 characters, no white space.';
comment on column djr.event.user_id is
  'The user of a user event, as the app identifies users; of a system event, whom it is about, if anyone.';
comment on column djr.event.key is
  'Idempotency key: a second publish under the same key stores and sends nothing.';
comment on column djr.event.detail is
  'A JSON object, sent to the client. With the envelope at most 7,999 bytes.';
comment on column djr.event.private_data is
  'JSON for the backend''s eyes. It never leaves the database through NOTIFY or a client''s stream.';
comment on index djr.event_xid is 'New since a snapshot: sweep and resume.';
comment on index djr.event_user is 'One user''s events, newest or oldest first.';
comment on index djr.event_type is 'Events of a type, newest or oldest first.';
comment on index djr.event_created_at is 'By time: pruning, and the admin''s date range.';
comment on index djr.event_key is 'One event a key.';
comment on index djr.event_replay_of is 'The replays of an event.';
--! EndIncluded tables/event.sql
--! Included tables/activity.sql
-- Append-only, written by the runtimes in batches. There is no primary key: nothing refers to a row of it. And no foreign
-- key: looking for the event of each row took 40,000 of its 69,000 instructions. A trigger of djr.event removes what is
-- of events that go, and who records looks for all events of a batch at once.
create table if not exists djr.activity (
  event_id bigint not null,
  created_at timestamptz not null default pg_catalog.clock_timestamp(),
  recipients integer,
  status text collate "C" not null,
  user_id text collate "C",
  instance text collate "C",
  constraint activity_status check (status in ('dispatched', 'sent', 'delivered', 'read', 'error')),
  constraint activity_recipients check (recipients >= 0)
);

-- Made by the first migration.
alter table djr.activity drop constraint if exists activity_event;

create index if not exists activity_event on djr.activity (event_id);
-- Partial: what is written for every event does not pay for it.
create unique index if not exists activity_acknowledged on djr.activity (event_id, user_id, status)
where status in ('delivered', 'read');

comment on table djr.activity is
  'What became of an event, one row a step, written by the runtimes when djr.settings.activity is not off.';
comment on column djr.activity.event_id is 'The event; its activity goes when it is pruned.';
comment on column djr.activity.created_at is 'When the step was recorded: some 500 ms after it happened, more while the database is slow.';
comment on column djr.activity.recipients is
  'Of sent: to how many clients. Of error: for how many of them beforeSend failed. Null for other steps.';
comment on column djr.activity.status is
  'dispatched (an instance handed it on), sent (to clients), delivered and read (the page said so), error (a hook failed).';
comment on column djr.activity.user_id is
  'Whose clients, where it is known: of a user event always, of others with the setting full; who acknowledged.';
comment on column djr.activity.instance is 'The runtime that did it.';
comment on index djr.activity_event is 'The activity of one event, and its removal with the event.';
comment on index djr.activity_acknowledged is 'A user acknowledges an event once, however often the page says so.';
--! EndIncluded tables/activity.sql
--! Included tables/delivery_mode.sql
-- A sequence, because its last_value is read without MVCC: a publisher in a repeatable-read transaction
-- that began an hour ago sees the mode of now.
create sequence if not exists djr.delivery_mode as integer minvalue 1 maxvalue 2 start 1;

comment on sequence djr.delivery_mode is
  'How events reach the runtimes now: last_value 1, publishers notify; 2, they do not and the runtimes sweep. Set by djr.set_delivery_mode and djr.configure.';
--! EndIncluded tables/delivery_mode.sql
--! Included tables/instance.sql
-- Unlogged: what each instance says every few seconds costs no WAL and no fsync, and after a crash it says it again.
-- The fill factor keeps room on the page, and no column that changes is indexed: every update is a HOT one.
create unlogged table if not exists djr.instance (
  started_at timestamptz not null,
  seen_at timestamptz not null,
  events bigint not null,
  deliveries bigint not null,
  errors bigint not null,
  connections integer not null,
  lag_ms real,
  name text collate "C" not null,
  host text not null,
  version text not null,
  constraint instance_pkey primary key (name),
  constraint instance_name check (pg_catalog.octet_length(name) between 1 and 64)
)
with (fillfactor = 50);

comment on table djr.instance is
  'The runtimes that use this database, one row each, written by themselves every 5 s. Its row goes when an instance stops, or when it has not been seen for a day. Not on a standby: it is unlogged.';
comment on column djr.instance.started_at is 'When the runtime was started.';
comment on column djr.instance.seen_at is 'When it last said so: more than 30 s ago, it is gone or cut off.';
comment on column djr.instance.events is 'Events that it has handed on since its start.';
comment on column djr.instance.deliveries is 'Events that it has written to clients since its start.';
comment on column djr.instance.errors is
  'Errors of hooks and subscribers, and messages on the channel that could not be read, since its start.';
comment on column djr.instance.connections is 'Streams that are open.';
comment on column djr.instance.lag_ms is
  'From insert to being handed on, milliseconds, 99th percentile of the last 5 s; null: no event came. It includes how long transactions stay open, and the difference of the two clocks.';
comment on column djr.instance.name is 'As in djr.activity.instance, and in the ids of its frames.';
comment on column djr.instance.host is 'The machine, and the process on it.';
comment on column djr.instance.version is 'Of the package djr.';
--! EndIncluded tables/instance.sql
--! Included views/event_status.sql
create or replace view djr.event_status as
select
  event.id,
  event.type,
  event.scope,
  event.user_id,
  event.detail,
  event.created_at,
  event.replay_of,
  coalesce(activity.status, 'new') as status,
  coalesce(activity.recipients, 0) as recipients,
  coalesce(activity.errors, 0) as errors
from djr.event
left join lateral (
  select
    (array['dispatched', 'error', 'sent', 'delivered', 'read'])[
      max(pg_catalog.array_position(array['dispatched', 'error', 'sent', 'delivered', 'read'], activity.status::text))
    ] as status,
    sum(activity.recipients) filter (where activity.status = 'sent') as recipients,
    sum(coalesce(activity.recipients, 1)) filter (where activity.status = 'error') as errors
  from djr.activity
  where activity.event_id = event.id
) activity on true;

comment on view djr.event_status is
  'Each event with how far it got. Only what the runtimes recorded is known: with activity off, every event stays new.';
comment on column djr.event_status.id is 'The event''s id.';
comment on column djr.event_status.type is 'Its type.';
comment on column djr.event_status.scope is 'Its scope.';
comment on column djr.event_status.user_id is 'Its user.';
comment on column djr.event_status.detail is 'Its detail.';
comment on column djr.event_status.created_at is 'When it was published.';
comment on column djr.event_status.replay_of is 'The event that it sends again.';
comment on column djr.event_status.status is
  'The furthest of: new, dispatched, error, sent, delivered, read. An event that failed for one client and reached another is sent.';
comment on column djr.event_status.recipients is 'To how many clients it was sent, all instances together.';
comment on column djr.event_status.errors is 'How often a hook failed for it: onReceive for each instance, beforeSend for each client.';
--! EndIncluded views/event_status.sql

--! Included functions/_encode.sql
-- Plain SQL without SET, so that the planner inlines it into its callers: an event is encoded once, without a call.
create or replace function djr._encode(
  id bigint,
  xid xid8,
  scope text,
  user_id text,
  type text,
  created_at timestamptz,
  detail jsonb
) returns text
language sql
stable
as $$
  select pg_catalog.json_build_array(
    id,
    xid::pg_catalog.text,
    scope,
    user_id,
    type,
    pg_catalog.trunc(extract(epoch from created_at) operator(pg_catalog.*) 1000)
  )::pg_catalog.text operator(pg_catalog.||) E'\t' operator(pg_catalog.||) detail::pg_catalog.text
$$;

comment on function djr._encode(bigint, xid8, text, text, text, timestamptz, jsonb) is
  'An event as a line of a NOTIFY message: a JSON array of id, xid, scope, user_id, type and milliseconds, a tab, and the detail. JSON holds neither a raw tab nor a line feed. Internal.';
--! EndIncluded functions/_encode.sql
--! Included functions/_refuse_size.sql
create or replace function djr._refuse_size(
  type text,
  size integer
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using
    errcode = 'DJR05',
    message = format('event "%s" is too large', _refuse_size.type),
    detail = format('Its message is %s bytes; the limit is 7999 bytes.', _refuse_size.size),
    hint = 'Send a reference, an id for example, and let the client fetch the rest.';
end
$$;

comment on function djr._refuse_size(text, integer) is
  'Raises DJR05. Internal.';
--! EndIncluded functions/_refuse_size.sql
--! Included functions/_validate.sql
-- The rules, raised with SQLSTATEs of our own. The CHECKs of djr.event say the same for a plain INSERT:
-- whatever changes here changes there. `place` comes before the message, and says which of many events it is.
create or replace function djr._validate(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  key text,
  place text default ''
) returns void
language plpgsql
immutable
as $$
begin
  if type is null or pg_catalog.length(type) not between 1 and 200 then
    raise exception using
      errcode = 'DJR01',
      message = place || 'the type of an event has 1 to 200 characters',
      detail = case when type is null then 'It is null.' else pg_catalog.format('It has %s.', pg_catalog.length(type)) end,
      hint = 'Name what happened in a word or two: order_paid.';
  elsif type ~ '[\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]' then
    raise exception using
      errcode = 'DJR01',
      message = place || 'the type of an event has no white space and no control characters',
      detail = pg_catalog.format('It is %s.', pg_catalog.to_json(type)),
      hint = 'Use an underscore or a colon between words: order_paid.';
  elsif type ~ '^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)$|^djr:' then
    raise exception using
      errcode = 'DJR01',
      message = place || pg_catalog.format('the type "%s" is reserved', type),
      detail = 'The stream and the browser client say connected, disconnected, reset, heartbeat, state, error, left, refused, presence and what begins with djr: themselves.',
      hint = 'Choose another word.';
  end if;

  if scope = 'user' then
    if user_id is null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope user needs a user_id',
        detail = 'The user_id is null.',
        hint = 'Is the user''s id null here? For every client publish with djr.publish_global, for the backend with djr.publish_system.';
    end if;
  elsif scope = 'public' then
    if user_id is not null then
      raise exception using
        errcode = 'DJR02',
        message = place || 'an event of scope public has no user_id',
        detail = pg_catalog.format('The user_id is %s.', pg_catalog.to_json(user_id)),
        hint = 'Everyone would get it. For one user publish with djr.publish.';
    end if;
  elsif scope is distinct from 'system' then
    raise exception using
      errcode = 'DJR02',
      message = place || 'the scope of an event is user, public or system',
      detail = pg_catalog.format('It is %s.', coalesce(pg_catalog.to_json(scope)::text, 'null')),
      hint = 'user: the one whom user_id names. public: every client. system: backend subscribers only.';
  end if;

  if pg_catalog.length(user_id) not between 1 and 255 then
    raise exception using
      errcode = 'DJR03',
      message = place || 'a user_id has 1 to 255 characters',
      detail = pg_catalog.format('It has %s.', pg_catalog.length(user_id)),
      hint = 'Pass the id by which your login knows the user.';
  end if;

  if pg_catalog.jsonb_typeof(detail) is distinct from 'object' then
    raise exception using
      errcode = 'DJR04',
      message = place || 'the detail of an event is a JSON object',
      detail = case when detail is null then 'It is null.' else pg_catalog.format('It is of type %s.', pg_catalog.jsonb_typeof(detail)) end,
      hint = 'Put it under a name, {"value": …}; for no detail leave it out.';
  end if;

  if pg_catalog.length(key) not between 1 and 255 then
    raise exception using
      errcode = 'DJR11',
      message = place || 'the key of an event has 1 to 255 characters',
      detail = pg_catalog.format('It has %s.', pg_catalog.length(key)),
      hint = 'Use what identifies the occurrence: invoice-17-paid.';
  end if;
end
$$;

comment on function djr._validate(text, text, text, jsonb, text, text) is
  'Raises what is wrong with an event: DJR01 type, DJR02 scope, DJR03 user_id, DJR04 detail, DJR11 key. Internal.';
--! EndIncluded functions/_validate.sql
--! Included functions/_is_valid.sql
-- The rules of djr._validate for one column each, said in as few calls as can be: PL/pgSQL prepares an expression anew in
-- every transaction, and each function in it costs. Whether scope and user fit together the insert trigger sees anyway.
-- Plain SQL without SET, so that the planner inlines it; null counts as no.
create or replace function djr._is_valid(
  user_id text,
  type text,
  detail jsonb
) returns boolean
language sql
immutable
as $$
  select type operator(pg_catalog.!~)
      '^(connected|disconnected|reset|heartbeat|state|error|left|refused|presence)?$|^djr:|[\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]'
    and pg_catalog.length(type) operator(pg_catalog.<=) 200
    and detail operator(pg_catalog.@>) '{}'
    and (
      user_id is null
      or user_id operator(pg_catalog.<>) '' and pg_catalog.length(user_id) operator(pg_catalog.<=) 255
    )
$$;

comment on function djr._is_valid(text, text, jsonb) is
  'Whether djr._validate would let type, user and detail pass; it says why not. Internal.';
--! EndIncluded functions/_is_valid.sql
--! Included functions/_announce.sql
-- Runs for every publish, so it counts what it calls: each query and each function costs as much as an index. Without NOTIFY
-- one query says that nothing is to be refused; with it each event is encoded once, and as many as fit are packed into
-- one message, because each is one that every listener must fetch. Of thousands of events the first are sent; a doorbell
-- says that the others are to be read, which costs both sides less than so many messages.
create or replace function djr._announce() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Messages that may be sent.
  _room integer;
  _channel text;
  _line text;
  _misfit boolean;
  _header json;
  _message text;
begin
  -- The mode is read without MVCC; it is null until it was first set. A header takes at most 110 bytes, four for each of
  -- a type's 200 characters and six for each of a user's 255: with a detail up to 5,500 no message is too large, and needs
  -- no more exact look.
  perform
  from _new
  where coalesce(pg_sequence_last_value('djr.delivery_mode'), 1) <> 2
    or octet_length(_new.detail::text) > 5500
    or _new.scope = case when _new.user_id is null then 'user' else 'public' end
  limit 1;
  if not found then
    return null;
  end if;

  _room := case pg_sequence_last_value('djr.delivery_mode') when 2 then 0 else 32 end;
  for _line, _misfit in
    select
      djr._encode(_new.id, _new.xid, _new.scope, _new.user_id, _new.type, _new.created_at, _new.detail),
      _new.scope = case when _new.user_id is null then 'user' else 'public' end
    from _new
  loop
    if _misfit or octet_length(_line) > 7999 then
      _header := split_part(_line, E'\t', 1)::json;
      perform djr._validate(_header ->> 2, _header ->> 3, _header ->> 4, '{}', null);
      perform djr._refuse_size(_header ->> 4, octet_length(_line));
    end if;
    continue when _room = 0;

    if _message is null then
      _message := _line;
    elsif octet_length(_message) + 1 + octet_length(_line) <= 7999 then
      _message := _message || E'\n' || _line;
    else
      _channel := coalesce(_channel, (select settings.channel from djr.settings));
      perform pg_notify(_channel, _message);
      _message := _line;
      _room := _room - 1;
      if _room = 0 then
        _message := '{"doorbell":"sweep"}';
        -- Where none of the others can be refused they need not be encoded.
        exit when not exists (
          select
          from _new
          where octet_length(_new.detail::text) > 5500
            or _new.scope = case when _new.user_id is null then 'user' else 'public' end
        );
      end if;
    end if;
  end loop;

  if _message is not null then
    perform pg_notify(settings.channel, _message) from djr.settings;
  end if;
  return null;
end
$$;

comment on function djr._announce() is
  'The insert trigger of djr.event: refuses what is too large (DJR05) or for whom it cannot be (DJR02), and notifies. Internal.';
--! EndIncluded functions/_announce.sql
--! Included triggers/event_announce.sql
create or replace trigger event_announce
after insert on djr.event
referencing new table as _new
for each statement
execute function djr._announce();

comment on trigger event_announce on djr.event is
  'Every insert publishes: checks the size and notifies, a statement at a time.';
--! EndIncluded triggers/event_announce.sql
--! Included functions/_forget_activity.sql
-- Instead of a foreign key with ON DELETE CASCADE: a statement's events at once, not one by one.
create or replace function djr._forget_activity() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    delete from djr.activity
    using _old
    where activity.event_id = _old.id;
  -- Where the statement names both tables it is empty by now, and may not be truncated within the statement.
  elsif exists (select from djr.activity) then
    truncate djr.activity;
  end if;
  return null;
end
$$;

comment on function djr._forget_activity() is
  'The trigger of djr.event by which the activity of events goes with them. Internal.';
--! EndIncluded functions/_forget_activity.sql
--! Included triggers/event_forget.sql
create or replace trigger event_forget
after delete on djr.event
referencing old table as _old
for each statement
execute function djr._forget_activity();

comment on trigger event_forget on djr.event is
  'The activity of events goes with them.';

create or replace trigger event_forget_all
after truncate on djr.event
for each statement
execute function djr._forget_activity();

comment on trigger event_forget_all on djr.event is
  'The activity of all events goes with them.';
--! EndIncluded triggers/event_forget.sql

--! Included functions/_publish_once.sql
-- Called by djr._publish when there is a key, so that publishing without one does not pay for it.
-- A unique key makes its second publisher wait until the first one's transaction ends: there is no other way to know.
create or replace function djr._publish_once(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text
) returns bigint
language plpgsql
as $$
-- `on conflict (key)` cannot be qualified; every parameter is.
#variable_conflict use_column
declare
  _id bigint;
begin
  if not (select settings.storage from djr.settings) then
    raise exception using
      errcode = 'DJR06',
      message = 'a key needs storage, and storage is off',
      detail = 'Without the stored event nothing tells that the key was used before.',
      hint = 'Publish without a key, or switch storage on: select djr.configure(storage => true).';
  end if;

  loop
    insert into djr.event (scope, user_id, type, detail, private_data, key)
    values (
      _publish_once.scope, _publish_once.user_id, _publish_once.type,
      _publish_once.detail, _publish_once.private_data, _publish_once.key
    )
    on conflict (key) where event.key is not null do nothing
    returning event.id into _id;
    exit when _id is not null;

    select event.id into _id from djr.event where event.key = _publish_once.key;
    -- Else it was pruned between the two statements, and the key is free again.
    exit when _id is not null;
  end loop;
  return _id;
end
$$;

comment on function djr._publish_once(text, text, text, jsonb, jsonb, text) is
  'Publishes unless the key was used before; returns the id of the event that has it (DJR06 with storage off). Internal.';
--! EndIncluded functions/_publish_once.sql
--! Included functions/_notify_only.sql
-- With storage off there is no row and no trigger: the id is still the sequence's, and the rules are the same, the trigger's among them.
-- It notifies in every delivery mode, because nobody sweeps what is not stored.
create or replace function djr._notify_only(
  scope text,
  user_id text,
  type text,
  detail jsonb
) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint := pg_catalog.nextval('djr.event_id_seq');
  _line text := djr._encode(_id, null, scope, user_id, type, pg_catalog.clock_timestamp(), detail);
begin
  if (case when user_id is null then scope in ('public', 'system') else scope in ('user', 'system') end) is not true then
    perform djr._validate(scope, user_id, type, detail, null);
  end if;
  -- NOTIFY takes one at commit. Taken now, it says to whoever resumes that this was in progress when storage came back.
  perform pg_catalog.pg_current_xact_id();
  if pg_catalog.octet_length(_line) > 7999 then
    perform djr._refuse_size(type, pg_catalog.octet_length(_line));
  end if;
  perform pg_catalog.pg_notify((select settings.channel from djr.settings), _line);
  return _id;
end
$$;

comment on function djr._notify_only(text, text, text, jsonb) is
  'Publishes an event without storing it. Internal.';
--! EndIncluded functions/_notify_only.sql
--! Included functions/_publish.sql
-- What all publish* come to. No exception block (a subtransaction for each event would cost more than the event)
-- and no lock that outlives the statement.
create or replace function djr._publish(
  scope text,
  user_id text,
  type text,
  detail jsonb,
  private_data jsonb,
  key text
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _id bigint;
begin
  if djr._is_valid(_publish.user_id, _publish.type, _publish.detail) is not true or _publish.key is not null then
    perform djr._validate(_publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.key);
    if _publish.key is not null then
      return djr._publish_once(
        _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data, _publish.key
      );
    end if;
  end if;

  -- The setting is read by the insert itself: one statement instead of two.
  insert into djr.event (scope, user_id, type, detail, private_data)
  select _publish.scope, _publish.user_id, _publish.type, _publish.detail, _publish.private_data
  from djr.settings
  where settings.storage
  returning event.id into _id;
  if _id is null then
    return djr._notify_only(_publish.scope, _publish.user_id, _publish.type, _publish.detail);
  end if;
  return _id;
end
$$;

comment on function djr._publish(text, text, text, jsonb, jsonb, text) is
  'What publish, publish_global and publish_system come to; granted by djr.grant_publish. Internal.';
--! EndIncluded functions/_publish.sql
--! Included functions/publish.sql
-- An overload for each type that ids of users have. Plain SQL without SET, so that the planner puts djr._publish in their
-- place; that one checks and is SECURITY DEFINER.
create or replace function djr.publish(
  user_id text,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id, publish.type, publish.detail, publish.private_data, publish.key)
$$;

comment on function djr.publish(text, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a text, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id.';

create or replace function djr.publish(
  user_id bigint,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key)
$$;

comment on function djr.publish(bigint, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a bigint, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id.';

create or replace function djr.publish(
  user_id uuid,
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish('user', publish.user_id::pg_catalog.text, publish.type, publish.detail, publish.private_data, publish.key)
$$;

comment on function djr.publish(uuid, text, jsonb, jsonb, text) is
  'Publishes an event to one user, whose id is a uuid, and returns the event''s id. It is sent when the transaction commits. A second publish under the same key does nothing and returns the first id.';
--! EndIncluded functions/publish.sql
--! Included functions/publish_global.sql
create or replace function djr.publish_global(
  type text,
  detail jsonb default '{}',
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'public',
    null,
    publish_global.type,
    publish_global.detail,
    publish_global.private_data,
    publish_global.key
  )
$$;

comment on function djr.publish_global(text, jsonb, jsonb, text) is
  'Publishes an event to every client, anonymous ones too, and returns its id. For the rest see djr.publish.';
--! EndIncluded functions/publish_global.sql
--! Included functions/publish_system.sql
-- Only the overload for text has a default, so that a call without a user is not ambiguous.
create or replace function djr.publish_system(
  type text,
  detail jsonb default '{}',
  user_id text default null,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system',
    publish_system.user_id,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key
  )
$$;

comment on function djr.publish_system(text, jsonb, text, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type text) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id bigint,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system',
    publish_system.user_id::pg_catalog.text,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key
  )
$$;

comment on function djr.publish_system(text, jsonb, bigint, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type bigint) or nobody, and returns its id. For the rest see djr.publish.';

create or replace function djr.publish_system(
  type text,
  detail jsonb,
  user_id uuid,
  private_data jsonb default null,
  key text default null
) returns bigint
language sql
as $$
  select djr._publish(
    'system',
    publish_system.user_id::pg_catalog.text,
    publish_system.type,
    publish_system.detail,
    publish_system.private_data,
    publish_system.key
  )
$$;

comment on function djr.publish_system(text, jsonb, uuid, jsonb, text) is
  'Publishes an event to backend subscribers only, about a user (an id of type uuid) or nobody, and returns its id. For the rest see djr.publish.';
--! EndIncluded functions/publish_system.sql
--! Included functions/publish_many.sql
create or replace function djr.publish_many(events jsonb) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
-- `on conflict (key)` cannot be qualified; the parameter is.
#variable_conflict use_column
declare
  _storage boolean;
  _members constant text[] := array['scope', 'user_id', 'type', 'detail', 'private_data', 'key'];
  _keyed boolean;
  -- The first event's type, if it is a sound one: most have the same, and it is checked no second time. A constant in its
  -- place the planner works off.
  _type jsonb := case
    when jsonb_typeof(publish_many.events #> '{0,type}') = 'string'
      and djr._is_valid(null, publish_many.events #>> '{0,type}', '{}') then publish_many.events #> '{0,type}'
  end;
  _element jsonb;
  _index bigint;
  _unknown text;
  _ids bigint[];
begin
  if jsonb_typeof(publish_many.events) is distinct from 'array' then
    raise exception using
      errcode = 'DJR09',
      message = 'publish_many takes a JSON array of events',
      detail = format('It is %s.', coalesce('of type ' || jsonb_typeof(publish_many.events), 'null')),
      hint = 'Build it with jsonb_agg(jsonb_build_object(''user_id'', …, ''type'', …, ''detail'', …)).';
  end if;

  -- All of them in one query; only of the first that is wrong it is asked what.
  select element.value, element.place - 1
  into _element, _index
  from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
  where case
    when jsonb_typeof(element.value) <> 'object' then true
    else
      element.value - _members <> '{}'
      or jsonb_typeof(element.value -> 'user_id') not in ('string', 'number', 'null')
      or jsonb_typeof(element.value -> 'scope') <> 'string'
      or jsonb_typeof(element.value -> 'key') not in ('string', 'number', 'null')
      or length(element.value ->> 'key') not between 1 and 255
      or case
        when element.value -> 'type' = _type
          then djr._is_valid(element.value ->> 'user_id', 'sound', coalesce(element.value -> 'detail', '{}'))
        else jsonb_typeof(element.value -> 'type') = 'string' and djr._is_valid(
          element.value ->> 'user_id',
          element.value ->> 'type',
          coalesce(element.value -> 'detail', '{}')
        )
      end is not true
      or case
        when element.value ->> 'user_id' is null then coalesce(element.value ->> 'scope', 'user') not in ('public', 'system')
        else coalesce(element.value ->> 'scope', 'user') not in ('user', 'system')
      end
  end
  order by element.place
  limit 1;
  if found then
    if jsonb_typeof(_element) <> 'object' then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: an event is a JSON object', _index),
        detail = format('It is of type %s.', jsonb_typeof(_element)),
        hint = 'Its members are scope, user_id, type, detail, private_data and key.';
    end if;
    -- A misspelt user_id must not go unnoticed.
    if _element - _members <> '{}' then
      select jsonb_object_keys(_element - _members) into _unknown;
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: an event has no member %s', _index, to_json(_unknown)),
        detail = 'Its members are scope, user_id, type, detail, private_data and key.',
        hint = 'What the client shall get belongs into detail.';
    end if;
    if jsonb_typeof(_element -> 'user_id') not in ('string', 'number', 'null')
      or jsonb_typeof(_element -> 'type') <> 'string'
      or jsonb_typeof(_element -> 'scope') <> 'string'
      or jsonb_typeof(_element -> 'key') not in ('string', 'number', 'null')
    then
      raise exception using
        errcode = 'DJR09',
        message = format('events[%s]: scope, type, user_id and key are strings', _index),
        detail = format('The event is %s.', left(_element::text, 200)),
        hint = 'A user_id and a key may be numbers.';
    end if;
    perform djr._validate(
      coalesce(_element ->> 'scope', 'user'),
      _element ->> 'user_id',
      _element ->> 'type',
      coalesce(_element -> 'detail', '{}'),
      _element ->> 'key',
      format('events[%s]: ', _index)
    );
  end if;

  _keyed := jsonb_path_exists(publish_many.events, '$[*].key ? (@ != null)');
  select settings.storage into _storage from djr.settings;
  if not _storage then
    if _keyed then
      raise exception using
        errcode = 'DJR06',
        message = 'a key needs storage, and storage is off',
        detail = 'Without the stored event nothing tells that the key was used before.',
        hint = 'Publish without keys, or switch storage on: select djr.configure(storage => true).';
    end if;
    return query
    select djr._notify_only(
      coalesce(element.value ->> 'scope', 'user'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}')
    )
    from jsonb_array_elements(publish_many.events) element;
    return;
  end if;

  -- In the order of the array, which is then the order of the ids.
  if not _keyed then
    return query
    insert into djr.event (scope, user_id, type, detail, private_data)
    select
      coalesce(element.value ->> 'scope', 'user'),
      element.value ->> 'user_id',
      element.value ->> 'type',
      coalesce(element.value -> 'detail', '{}'),
      element.value -> 'private_data'
    from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
    order by element.place
    returning event.id;
    return;
  end if;

  -- Ids first, so that each element knows its own whether or not its key was used before.
  select array_agg(nextval('djr.event_id_seq')) into _ids from generate_series(1, jsonb_array_length(publish_many.events));

  insert into djr.event (id, scope, user_id, type, detail, private_data, key)
  overriding system value
  select
    _ids[element.place],
    coalesce(element.value ->> 'scope', 'user'),
    element.value ->> 'user_id',
    element.value ->> 'type',
    coalesce(element.value -> 'detail', '{}'),
    element.value -> 'private_data',
    element.value ->> 'key'
  from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
  order by element.place
  on conflict (key) where event.key is not null do nothing;

  return query
  select coalesce(
    (select event.id from djr.event where event.key = element.value ->> 'key'),
    _ids[element.place]
  )
  from jsonb_array_elements(publish_many.events) with ordinality element (value, place)
  order by element.place;
end
$$;

comment on function djr.publish_many(jsonb) is
  'Publishes an array of {scope, user_id, type, detail, private_data, key} in one statement with few NOTIFYs and returns their ids in order. Without a scope it is user, so that a forgotten user_id is an error and not an event for everyone. All or nothing: an error says which, as in events[3].';
--! EndIncluded functions/publish_many.sql
--! Included functions/_row_columns.sql
-- The expression that makes a row's named columns into jsonb. A column of a built-in type (or a domain over one) goes
-- through to_jsonb; any other through its output function only, as text: to_jsonb would call a cast to json that the
-- type's owner may have written, and djr.publish_row runs with the rights of djr's owner.
create or replace function djr._row_columns(
  relation regclass,
  columns text[]
) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  _column text;
  _type oid;
  _base oid;
  _parts text[] := '{}';
begin
  foreach _column in array _row_columns.columns loop
    select pg_attribute.atttypid
    into _type
    from pg_attribute
    where pg_attribute.attrelid = _row_columns.relation
      and pg_attribute.attname = _column
      and pg_attribute.attnum > 0
      and not pg_attribute.attisdropped;
    if not found then
      raise exception using
        errcode = 'DJR08',
        message = format('table %s has no column %s', _row_columns.relation, to_json(_column)),
        detail = 'A trigger with djr.publish_row names it.',
        hint = 'djr.publish_row(type, column of the user or '''', columns to send, column of the id): correct the trigger.';
    end if;
    _base := _type;
    while (select pg_type.typtype = 'd' from pg_type where pg_type.oid = _base) loop
      select pg_type.typbasetype into _base from pg_type where pg_type.oid = _base;
    end loop;
    _parts := _parts || format('%L', _column) || case
      when _base >= 16384 then
        format('case when ($1).%1$I is null then null else to_jsonb(format(''%%s'', ($1).%1$I)) end', _column)
      else
        format('to_jsonb(($1).%I::%s)', _column, format_type(_base, null))
    end;
  end loop;
  return format('select jsonb_build_object(%s)', array_to_string(_parts, ', '));
end
$$;

comment on function djr._row_columns(regclass, text[]) is
  'A query that makes named columns of a row ($1) into a JSON object; DJR08 for a column that is not there. Internal.';
--! EndIncluded functions/_row_columns.sql
--! Included functions/_publish_row.sql
create or replace function djr._publish_row(
  type text,
  user_column text,
  id_column text,
  columns text[],
  op text,
  row_data jsonb
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _user_id text := _publish_row.row_data ->> _publish_row.user_column;
  _detail jsonb;
begin
  -- A row that belongs to nobody (a guest's order) is for nobody; in no case for everyone.
  if _publish_row.user_column is not null and _user_id is null then
    return;
  end if;
  select coalesce(jsonb_object_agg(name, _publish_row.row_data -> name), '{}')
  into _detail
  from unnest(_publish_row.columns) name;
  _detail := _detail || jsonb_build_object('op', _publish_row.op);
  if _publish_row.id_column is not null then
    _detail := _detail || jsonb_build_object(':id', _publish_row.row_data -> _publish_row.id_column);
  end if;
  perform djr._publish(
    case when _publish_row.user_column is null then 'public' else 'user' end,
    _user_id,
    _publish_row.type,
    _detail,
    null,
    null
  );
end
$$;

comment on function djr._publish_row(text, text, text, text[], text, jsonb) is
  'Publishes one row for djr.publish_row. Internal.';
--! EndIncluded functions/_publish_row.sql
--! Included functions/publish_row.sql
-- SECURITY DEFINER, so that whoever may change the row need not be allowed to publish anything else.
create or replace function djr.publish_row() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _type text := tg_argv[0];
  _user_column text := nullif(trim(tg_argv[1]), '');
  _columns text[];
  _id_column text := nullif(trim(tg_argv[3]), '');
  _named text[];
  _query text;
  _before jsonb;
  _after jsonb;
  _row jsonb;
begin
  if tg_level <> 'ROW' or tg_when <> 'AFTER' or tg_nargs not between 3 and 4 then
    raise exception using
      errcode = 'DJR08',
      message = format('trigger %I on %s does not fit djr.publish_row', tg_name, tg_relid::regclass),
      detail = format('It is %s … for each %s with %s arguments.', lower(tg_when), lower(tg_level), tg_nargs),
      hint = 'create trigger … after insert or update or delete on … for each row execute function djr.publish_row(''type'', ''user_column or empty'', ''columns,to,send'').';
  end if;

  select array_agg(trim(name) order by place)
  into _columns
  from unnest(string_to_array(tg_argv[2], ',')) with ordinality listed (name, place)
  where trim(name) <> '';

  if _id_column is null then
    select pg_attribute.attname
    into _id_column
    from pg_index
    join pg_attribute on pg_attribute.attrelid = pg_index.indrelid and pg_attribute.attnum = pg_index.indkey[0]
    where pg_index.indrelid = tg_relid
      and pg_index.indisprimary
      and pg_index.indnkeyatts = 1;
  end if;

  _columns := coalesce(_columns, '{}');
  _named := array_remove(_columns || _user_column || _id_column, null);
  _query := djr._row_columns(tg_relid, _named);
  if tg_op <> 'INSERT' then
    execute _query into _before using old;
  end if;
  if tg_op <> 'DELETE' then
    execute _query into _after using new;
  end if;
  if _before is not distinct from _after then
    return null;
  end if;

  -- Who lost the row must see it go.
  if tg_op = 'UPDATE' and _user_column is not null and _before ->> _user_column <> coalesce(_after ->> _user_column, '') then
    perform djr._publish_row(_type, _user_column, _id_column, _columns, 'delete', _before);
  end if;
  _row := coalesce(_after, _before);
  perform djr._publish_row(_type, _user_column, _id_column, _columns, lower(tg_op), _row);
  return null;
end
$$;

comment on function djr.publish_row() is
  'A trigger function for any table: after insert or update or delete … for each row execute function djr.publish_row(type, user column or '''' for everyone, columns to send, id column). detail has the columns, op and :id (the primary key, or the fourth argument). Nothing is published for a row without a user, or when no named column changed; a user whom an update takes the row from gets op delete. DJR08 if the trigger does not fit the table.';
--! EndIncluded functions/publish_row.sql
--! Included functions/replay.sql
-- A replay is a row like any other, so it is durable, swept and resumed, and told apart by replay_of.
create or replace function djr.replay(ids bigint[]) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _missing bigint[];
begin
  if not (select settings.storage from djr.settings) then
    raise exception using
      errcode = 'DJR06',
      message = 'a replay needs storage, and storage is off',
      hint = 'Switch it on: select djr.configure(storage => true). Only what was published since then can be replayed.';
  end if;

  select array_agg(wanted.id order by wanted.place)
  into _missing
  from unnest(replay.ids) with ordinality wanted (id, place)
  where not exists (select from djr.event where event.id = wanted.id);
  if _missing is not null then
    raise exception using
      errcode = 'DJR07',
      message = format('there is no event %s', array_to_string(_missing, ', ', 'null')),
      detail = 'It was never stored, was rolled back, or was pruned.',
      hint = 'The events there are: select * from djr.event order by id desc.';
  end if;

  return query
  insert into djr.event (scope, user_id, type, detail, private_data, replay_of)
  select
    original.scope,
    original.user_id,
    original.type,
    original.detail,
    original.private_data,
    coalesce(original.replay_of, original.id)
  from unnest(replay.ids) with ordinality wanted (id, place)
  join djr.event original on original.id = wanted.id
  order by wanted.place
  returning event.id;
end
$$;

comment on function djr.replay(bigint[]) is
  'Sends stored events again, in the order given, and returns the ids of the new events. Their replay_of is the original, for a replay of a replay too. All or nothing (DJR07 names what is missing, DJR06 with storage off).';

create or replace function djr.replay(id bigint) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select djr.replay(array[replay.id]));
end
$$;

comment on function djr.replay(bigint) is
  'Sends a stored event again and returns the id of the new event, whose replay_of is the original (DJR07 if there is none, DJR06 with storage off).';
--! EndIncluded functions/replay.sql
--! Included functions/prune_batch.sql
create or replace function djr.prune_batch(
  older_than interval default null,
  batch integer default 5000
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _older_than interval := coalesce(prune_batch.older_than, (select settings.retention from djr.settings));
  _pruned bigint;
  _highest xid8;
begin
  if prune_batch.older_than < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = 'older_than is not negative',
      detail = format('It is %s.', prune_batch.older_than),
      hint = 'For example ''30 days''.';
  elsif prune_batch.batch is null or prune_batch.batch < 1 then
    raise exception using
      errcode = 'DJR10',
      message = 'batch is at least 1',
      detail = format('It is %s.', coalesce(prune_batch.batch::text, 'null')),
      hint = 'Leave it out for the default of 5000.';
  end if;
  -- No retention set and none given: events are kept for ever.
  if _older_than is null then
    return 0;
  end if;

  with expired as (
    select event.id
    from djr.event
    where event.created_at < clock_timestamp() - _older_than
    order by event.created_at
    limit prune_batch.batch
    -- Another pruner has those; both go on.
    for update skip locked
  ),
  deleted as (
    delete from djr.event
    using expired
    where event.id = expired.id
    returning event.xid
  )
  -- max(xid8) is of PostgreSQL 15.
  select count(*), (array_agg(deleted.xid order by deleted.xid desc))[1]
  into _pruned, _highest
  from deleted;

  -- In the same transaction: whoever no longer sees the rows sees that they were pruned.
  if _pruned > 0 then
    update djr.settings
    set pruned_xid = greatest(settings.pruned_xid, _highest);
  else
    -- Of events that are long gone: a transaction that deletes them with an older snapshot does not see what was recorded since.
    delete from djr.activity
    where activity.event_id < (select min(event.id) from djr.event);
  end if;
  return _pruned;
end
$$;

comment on function djr.prune_batch(interval, integer) is
  'Deletes the oldest events past the retention (or older than given), at most `batch` of them, and returns how many. Called in a transaction each until it returns 0, pruning never holds a lock for long: djr prune and the runtime do so.';
--! EndIncluded functions/prune_batch.sql
--! Included functions/prune.sql
create or replace function djr.prune(older_than interval default null) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _pruned bigint := 0;
  _batch bigint;
begin
  loop
    _batch := djr.prune_batch(prune.older_than, 5000);
    _pruned := _pruned + _batch;
    exit when _batch = 0;
  end loop;
  return _pruned;
end
$$;

comment on function djr.prune(interval) is
  'Deletes events past the retention (or older than given) and returns how many: all in the caller''s transaction. For much at once use djr.prune_batch, or the command djr prune.';
--! EndIncluded functions/prune.sql

--! Included functions/record_activity.sql
create or replace function djr.record_activity(
  instance text,
  event_ids bigint[],
  statuses text[],
  user_ids text[],
  recipients integer[]
) returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _recorded bigint;
begin
  with known as materialized (
    select event.id
    from djr.event
    where event.id = any (record_activity.event_ids)
      and (select settings.activity from djr.settings) <> 'off'
    -- Whoever deletes one of these waits until its activity is there to be deleted with it; one that is being deleted is left out.
    for key share skip locked
  )
  insert into djr.activity (event_id, status, user_id, recipients, instance)
  select step.event_id, step.status, step.user_id, step.recipients, record_activity.instance
  from unnest(
    record_activity.event_ids,
    record_activity.statuses,
    record_activity.user_ids,
    record_activity.recipients
  ) step (event_id, status, user_id, recipients)
  join known on known.id = step.event_id;
  get diagnostics _recorded = row_count;
  return _recorded;
end
$$;

comment on function djr.record_activity(text, bigint[], text[], text[], integer[]) is
  'Records steps of events, one an element, and returns how many rows were written. Events that are not stored, or pruned meanwhile, are left out; with activity off all are. The runtime calls it in batches.';
--! EndIncluded functions/record_activity.sql
--! Included functions/_acknowledge.sql
-- Many users in one statement: the runtime puts the acknowledgements of all pages into one call.
create or replace function djr._acknowledge(
  instance text,
  user_ids text[],
  event_ids bigint[],
  statuses text[]
) returns boolean[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _acknowledged boolean[];
begin
  with wanted as (
    select element.user_id, element.event_id, element.status, element.place
    from unnest(
      _acknowledge.user_ids,
      _acknowledge.event_ids,
      _acknowledge.statuses
    ) with ordinality element (user_id, event_id, status, place)
  ),
  own as materialized (
    select wanted.place, wanted.status, event.id, event.user_id
    from wanted
    join djr.event on event.id = wanted.event_id
    where event.scope = 'user'
      and event.user_id = wanted.user_id
    for key share of event skip locked
  ),
  stored as (
    insert into djr.activity (event_id, status, user_id, instance)
    select distinct own.id, own.status, own.user_id, _acknowledge.instance
    from own
    where (select settings.activity from djr.settings) <> 'off'
    on conflict do nothing
  )
  select array_agg(own.place is not null order by wanted.place)
  into _acknowledged
  from wanted
  left join own on own.place = wanted.place;
  return coalesce(_acknowledged, '{}');
end
$$;

comment on function djr._acknowledge(text, text[], bigint[], text[]) is
  'What acknowledge comes to, for many users at once: for each element whether it is an event of that user; granted by djr.grant_server. Internal.';
--! EndIncluded functions/_acknowledge.sql
--! Included functions/acknowledge.sql
create or replace function djr.acknowledge(user_id text, ids bigint[], status text) returns setof bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if acknowledge.status is null or acknowledge.status not in ('delivered', 'read') then
    raise exception using
      errcode = 'DJR10',
      message = 'the status of an acknowledgement is delivered or read',
      detail = format('It is %s.', coalesce(to_json(acknowledge.status)::text, 'null')),
      hint = 'The other steps are the runtimes'' to record.';
  end if;
  return query
  select acknowledged.id
  from unnest(
    acknowledge.ids,
    djr._acknowledge(
      null,
      array_fill(acknowledge.user_id, array[coalesce(cardinality(acknowledge.ids), 0)]),
      acknowledge.ids,
      array_fill(acknowledge.status, array[coalesce(cardinality(acknowledge.ids), 0)])
    )
  ) acknowledged (id, own)
  where acknowledged.own;
end
$$;

comment on function djr.acknowledge(text, bigint[], text) is
  'Records that a user''s page got (delivered) or showed (read) events of that user, and returns the ids of those that are: somebody else''s, public and unknown ones are left out. A second time changes nothing; with activity off nothing is stored. DJR10 for another status.';
--! EndIncluded functions/acknowledge.sql

--! Included functions/channel.sql
create or replace function djr.channel() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select settings.channel from djr.settings);
end
$$;

comment on function djr.channel() is
  'The NOTIFY channel, for the server role only.';
--! EndIncluded functions/channel.sql
--! Included functions/position.sql
create or replace function djr.position() returns text
language sql
stable
as $$
  select pg_catalog.pg_current_snapshot()::pg_catalog.text
$$;

comment on function djr.position() is
  'Where the stream stands in the calling statement''s snapshot. A page that reads its state and this in one statement (or one repeatable-read transaction) and connects with ?since= misses nothing and sees nothing twice.';
--! EndIncluded functions/position.sql
--! Included functions/epoch.sql
-- SECURITY DEFINER for pg_control_system(), which some services keep from ordinary roles but not from the owner.
create or replace function djr.epoch() returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select concat_ws(
      '_',
      coalesce(nullif(ltrim(lower(left(pg_walfile_name(pg_current_wal_lsn()), 8)), '0'), ''), '0'),
      to_hex(pg_database.oid::bigint),
      to_hex((select system_identifier from pg_control_system()))
    )
    from pg_database
    where pg_database.datname = current_database()
  );
end
$$;

comment on function djr.epoch() is
  'Which history of this database it is: timeline, database and cluster. It changes after a failover, a point-in-time restore or a restore elsewhere, when transaction ids no longer compare.';
--! EndIncluded functions/epoch.sql
--! Included functions/configure.sql
-- For the schema's owner: not granted to anyone, and not SECURITY DEFINER.
create or replace function djr.configure(
  storage boolean default null,
  channel text default null,
  retention interval default null,
  activity text default null,
  delivery text default null
) returns djr.settings
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  _before djr.settings;
  _after djr.settings;
begin
  if octet_length(configure.channel) not between 1 and 63 then
    raise exception using
      errcode = 'DJR10',
      message = 'the setting channel has 1 to 63 bytes',
      detail = format('It has %s.', octet_length(configure.channel)),
      hint = 'Whoever can guess it can listen: choose it at random.';
  elsif configure.retention < interval '0' then
    raise exception using
      errcode = 'DJR10',
      message = 'the setting retention is not negative',
      detail = format('It is %s.', configure.retention),
      hint = 'For example ''30 days''; ''0'' keeps events for ever.';
  elsif configure.activity not in ('off', 'summary', 'full') then
    raise exception using
      errcode = 'DJR10',
      message = 'the setting activity is off, summary or full',
      detail = format('It is %s.', to_json(configure.activity)),
      hint = 'summary: a row an event and instance. full: a row a user, too.';
  elsif configure.delivery not in ('auto', 'notify', 'sweep') then
    raise exception using
      errcode = 'DJR10',
      message = 'the setting delivery is auto, notify or sweep',
      detail = format('It is %s.', to_json(configure.delivery)),
      hint = 'auto is right unless you measured otherwise.';
  end if;

  select * into strict _before from djr.settings;
  update djr.settings
  set
    storage = coalesce(configure.storage, settings.storage),
    channel = coalesce(configure.channel, settings.channel),
    retention = nullif(coalesce(configure.retention, settings.retention), interval '0'),
    activity = coalesce(configure.activity, settings.activity),
    delivery = coalesce(configure.delivery, settings.delivery),
    -- What was published meanwhile was not stored: for whoever does not see this transaction yet it is as good as pruned.
    pruned_xid = case
      when configure.storage and not settings.storage then greatest(settings.pruned_xid, pg_current_xact_id())
      else settings.pruned_xid
    end
  returning * into strict _after;

  if configure.delivery in ('notify', 'sweep') then
    perform setval('djr.delivery_mode', array_position(array['notify', 'sweep'], configure.delivery));
  end if;
  if _after is distinct from _before then
    -- On the channel that the runtimes listen on: they read the settings anew, the channel's name included.
    perform pg_notify(_before.channel, '{"doorbell":"sweep"}');
  end if;
  return _after;
end
$$;

comment on function djr.configure(boolean, text, interval, text, text) is
  'Changes the settings that are given and returns all of them. retention => ''0'' keeps events for ever. For the schema''s owner.';
--! EndIncluded functions/configure.sql
--! Included functions/set_delivery_mode.sql
create or replace function djr.set_delivery_mode(mode text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _mode integer := array_position(array['notify', 'sweep'], set_delivery_mode.mode);
  _channel text;
begin
  if _mode is null then
    raise exception using
      errcode = 'DJR10',
      message = 'the delivery mode is notify or sweep',
      detail = format('It is %s.', coalesce(to_json(set_delivery_mode.mode)::text, 'null')),
      hint = 'To let the runtimes decide: select djr.configure(delivery => ''auto'').';
  end if;

  select settings.channel into _channel from djr.settings where settings.delivery = 'auto';
  if not found then
    return false;
  end if;
  perform setval('djr.delivery_mode', _mode);
  -- An instance that waits for a NOTIFY would hear of the change only at its next backstop sweep.
  perform pg_notify(_channel, '{"doorbell":"sweep"}');
  return true;
end
$$;

comment on function djr.set_delivery_mode(text) is
  'Sets how events reach the runtimes, notify or sweep, at once and for every session, and rings the runtimes. Does nothing and returns false unless the setting delivery is auto.';
--! EndIncluded functions/set_delivery_mode.sql
--! Included functions/repair_xids.sql
-- A dump restored into a younger cluster brings transaction ids that lie in the future. Left alone, every sweep would
-- find those rows new. A committed row of this cluster is never concerned: what a snapshot sees is below its xmax.
create or replace function djr.repair_xids() returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _repaired bigint;
begin
  update djr.event
  set xid = '3'
  where event.xid >= pg_snapshot_xmax(pg_current_snapshot());
  get diagnostics _repaired = row_count;

  update djr.settings
  set pruned_xid = '3'
  where settings.pruned_xid >= pg_snapshot_xmax(pg_current_snapshot());
  return _repaired;
end
$$;

comment on function djr.repair_xids() is
  'After a restore into another cluster: sets transaction ids that lie in the future to the oldest there is, and returns of how many events. The runtime calls it when it starts.';
--! EndIncluded functions/repair_xids.sql
--! Included functions/report_instance.sql
create or replace function djr.report_instance(
  name text,
  uptime interval,
  connections integer,
  events bigint,
  deliveries bigint,
  errors bigint,
  lag_ms real,
  host text,
  version text
) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- Whatever holds the row, an instance says it again 5 s later.
set lock_timeout = '1s'
as $$
declare
  _now timestamptz := clock_timestamp();
begin
  -- Its own row no other instance removes, and what another is removing it leaves alone: no two wait for one another.
  delete from djr.instance
  where instance.name in (
    select gone.name
    from djr.instance gone
    where gone.seen_at < _now - interval '1 day'
    for update skip locked
  );

  insert into djr.instance (name, started_at, seen_at, connections, events, deliveries, errors, lag_ms, host, version)
  values (
    report_instance.name,
    _now - report_instance.uptime,
    _now,
    report_instance.connections,
    report_instance.events,
    report_instance.deliveries,
    report_instance.errors,
    report_instance.lag_ms,
    left(report_instance.host, 255),
    left(report_instance.version, 64)
  )
  on conflict on constraint instance_pkey do update
  set seen_at = excluded.seen_at,
      connections = excluded.connections,
      events = excluded.events,
      deliveries = excluded.deliveries,
      errors = excluded.errors,
      lag_ms = excluded.lag_ms;
end
$$;

comment on function djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text) is
  'Says that a runtime is there, and its totals since its start: writes its row of djr.instance, and removes rows not seen for a day. lag_ms may be null. The runtime calls it every 5 s.';
--! EndIncluded functions/report_instance.sql
--! Included functions/forget_instance.sql
create or replace function djr.forget_instance(name text) returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
begin
  delete from djr.instance
  where instance.name = forget_instance.name;
  return found;
end
$$;

comment on function djr.forget_instance(text) is
  'Removes a runtime''s row of djr.instance, and returns whether there was one. The runtime calls it when it stops.';
--! EndIncluded functions/forget_instance.sql

--! Included functions/grant_publish.sql
-- Not SECURITY DEFINER: who may grant is who owns the objects. Not every member may be granted by a role
-- that is not the owner, so it refuses in PostgreSQL's own words.
create or replace function djr.grant_publish(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('grant usage on schema djr to %I', grant_publish.role);
  execute format('grant insert (scope, user_id, type, detail, private_data, key) on djr.event to %I', grant_publish.role);
  execute format(
    'grant execute on function
       djr._publish(text, text, text, jsonb, jsonb, text),
       djr.publish(text, text, jsonb, jsonb, text),
       djr.publish(bigint, text, jsonb, jsonb, text),
       djr.publish(uuid, text, jsonb, jsonb, text),
       djr.publish_global(text, jsonb, jsonb, text),
       djr.publish_system(text, jsonb, text, jsonb, text),
       djr.publish_system(text, jsonb, bigint, jsonb, text),
       djr.publish_system(text, jsonb, uuid, jsonb, text),
       djr.publish_many(jsonb),
       djr.publish_row(),
       djr.position()
     to %I',
    grant_publish.role
  );
end
$$;

comment on function djr.grant_publish(name) is
  'Lets a role publish: publish*, an INSERT of the columns that are the publisher''s to set, and position. It cannot read an event back.';
--! EndIncluded functions/grant_publish.sql
--! Included functions/grant_server.sql
-- Not SECURITY DEFINER, as djr.grant_publish.
create or replace function djr.grant_server(role name) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('grant usage on schema djr to %I', grant_server.role);
  execute format('grant select on djr.event, djr.activity, djr.settings, djr.instance, djr.event_status to %I', grant_server.role);
  execute format('grant select on sequence djr.delivery_mode to %I', grant_server.role);
  execute format('grant insert on djr.activity to %I', grant_server.role);
  if to_regclass('djr.migrations') is not null then
    execute format('grant select on djr.migrations to %I', grant_server.role);
  end if;
  execute format(
    'grant execute on function
       djr.channel(),
       djr.position(),
       djr.epoch(),
       djr.set_delivery_mode(text),
       djr.repair_xids(),
       djr.report_instance(text, interval, integer, bigint, bigint, bigint, real, text, text),
       djr.forget_instance(text),
       djr.record_activity(text, bigint[], text[], text[], integer[]),
       djr._acknowledge(text, text[], bigint[], text[]),
       djr.acknowledge(text, bigint[], text),
       djr.prune(interval),
       djr.prune_batch(interval, integer),
       djr.replay(bigint),
       djr.replay(bigint[])
     to %I',
    grant_server.role
  );
end
$$;

comment on function djr.grant_server(name) is
  'Gives a role what the runtime needs: reading events and settings, the channel, recording activity and acknowledgements, saying that it is there, pruning and replaying. It cannot publish; where the runtime publishes too, use djr.grant_publish as well.';
--! EndIncluded functions/grant_server.sql
--! Included privileges/revoke.sql
-- New functions are executable by PUBLIC. In the transaction that makes them they stop being so.
revoke all on schema djr from public;
revoke all on all tables in schema djr from public;
revoke all on all sequences in schema djr from public;
revoke all on all functions in schema djr from public;
revoke all on type djr.event_type, djr.event_scope, djr.event_user, djr.event_key, djr.event_detail from public;
--! EndIncluded privileges/revoke.sql
--! Included privileges/regrant.sql
-- Who was granted a use of djr before an upgrade gets what the upgrade added to it. A role that holds some functions only,
-- granted one by one, is left alone.
do $$
declare
  _role name;
begin
  for _role in
    select holder.rolname
    from pg_catalog.pg_roles holder
    where (
      select pg_catalog.count(distinct own.oid)
      from pg_catalog.pg_proc own, pg_catalog.aclexplode(own.proacl) entry
      where entry.grantee = holder.oid
        and entry.grantee <> own.proowner
        and own.oid in (
          'djr._publish(text, text, text, jsonb, jsonb, text)'::pg_catalog.regprocedure,
          'djr.publish_many(jsonb)'::pg_catalog.regprocedure,
          'djr.publish_row()'::pg_catalog.regprocedure
        )
    ) = 3
  loop
    perform djr.grant_publish(_role);
  end loop;

  for _role in
    select holder.rolname
    from pg_catalog.pg_roles holder
    where (
      select pg_catalog.count(distinct own.oid)
      from pg_catalog.pg_proc own, pg_catalog.aclexplode(own.proacl) entry
      where entry.grantee = holder.oid
        and entry.grantee <> own.proowner
        and own.oid in (
          'djr.channel()'::pg_catalog.regprocedure,
          'djr.repair_xids()'::pg_catalog.regprocedure,
          'djr.prune_batch(interval, integer)'::pg_catalog.regprocedure
        )
    ) = 3
  loop
    perform djr.grant_server(_role);
  end loop;
end
$$;
--! EndIncluded privileges/regrant.sql
--! EndIncluded index.sql
