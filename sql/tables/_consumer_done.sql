-- Events that a consumer has had out of order, because several callers share it. A row is deleted once the place is past its event.
create table if not exists djr._consumer_done (
  event_id bigint not null,
  xid xid8 not null,
  consumer integer not null,
  constraint _consumer_done_pkey primary key (consumer, event_id)
);

comment on table djr._consumer_done is 'Events beyond its place that a consumer has had, with mode share. Internal.';
comment on column djr._consumer_done.event_id is 'The event.';
comment on column djr._consumer_done.xid is 'The transaction that published it.';
comment on column djr._consumer_done.consumer is 'The consumer.';
