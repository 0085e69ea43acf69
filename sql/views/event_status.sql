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
comment on column djr.event_status.recipients is 'To how many clients it was sent, by all instances together.';
comment on column djr.event_status.errors is 'How often a hook failed for it: onReceive counts once an instance, beforeSend once a client.';
