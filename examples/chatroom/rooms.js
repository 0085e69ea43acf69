// @ts-check
/** The rooms, in SQL: who may enter which, and what is in it. The lobby is everyone's; the back room is its members'. */

/** In an app of your own: a migration. */
export const install = `
  create table if not exists chatroom_member (
    room text,
    name text,
    primary key (room, name)
  )`;

/**
 * What a guest may see, the seal that lets their browser hear the rest, and where the stream stood then: in one
 * statement, so of one moment. Whoever may not enter gets no message and no seal.
 */
export const read = `
  select
    name,
    room,
    topic,
    allowed,
    djr.position() as since,
    case when allowed and name <> '' then djr.seal(topic, name, '1 day') end as seal,
    array(select user_id from djr.online where online.topic = door.topic and allowed order by user_id) as here,
    (select count(*)::int from djr.event where type = 'guest_entered' and scope = 'public') as visitors,
    array(
      select to_jsonb(message)
      from (
        select id, type, detail, created_at
        from djr.event
        where (scope = 'topic' and event.topic = door.topic and type = 'chat_message' and allowed)
           or (scope = 'public' and type = 'guest_entered' and room = 'lobby')
           or (scope = 'user' and type = 'whisper' and user_id = name)
        order by id desc
        limit 50
      ) as message
      order by message.id
    ) as messages
  from (
    select
      $1::text as name,
      $2::text as room,
      'room:' || $2::text as topic,
      $2::text = 'lobby' or exists (select from chatroom_member where (room, name) = ($2, $1)) as allowed
  ) as door`;

const isMember = 'exists (select from chatroom_member where (room, name) = ($2, $1))';

/** Says something in a room, if one may. */
export const say = `select djr.publish_topic('room:' || $2, 'chat_message', $3) where $2 = 'lobby' or ${isMember}`;

/** That somebody is typing is worth nothing a moment later: it has no row, and who is not here now never hears of it. */
export const type = `
  select djr.publish_topic('room:' || $2, 'typing', jsonb_build_object('name', $1::text), store => false)
  where $2 = 'lobby' or ${isMember}`;

/** An empty room is whoever's knocks first. */
export const knock = `
  insert into chatroom_member (room, name)
  select $2, $1
  where $2 <> 'lobby' and not exists (select from chatroom_member where room = $2)`;

/** Members let others in, who are told so. */
export const letIn = `
  with guest as (
    insert into chatroom_member (room, name)
    select $2, $3::text
    where ${isMember}
    on conflict do nothing
    returning name
  )
  select djr.publish(name, 'whisper', jsonb_build_object('name', $1::text, 'to', name, 'text', 'The door is open for you.'))
  from guest`;

/** Their streams lose the topic, in all of their windows, and a seal that they still have opens it no more. */
export const giveUp = `
  with gone as (delete from chatroom_member where (room, name) = ($2, $1) returning name)
  select djr.recheck(name, 'room:' || $2) from gone`;
