import type { Queryable } from '../postgres/connect.js';
import { select } from '../postgres/select.js';
import { milliseconds } from '../postgres/types.js';

/** The open streams of a user, on all instances together. */
export interface UserOnline {
  id: string;
  /** How many streams; 0: the user is not connected. */
  streams: number;
  /** Since when the user is connected; null: the user is not. */
  since: Date | null;
  /** The first {@link MAX_SHOWN} topics that these streams hear. */
  topics: string[];
}

/** The users who hear a topic. */
export interface TopicOnline {
  name: string;
  users: number;
  streams: number;
  /** The first {@link MAX_SHOWN} users, by name. */
  first: { id: string; streams: number }[];
}

/** Who is connected, for the user or the topic of a search. */
export interface Online {
  user: UserOnline | undefined;
  topic: TopicOnline | undefined;
}

const MAX_SHOWN = 50;

export async function readUserOnline(client: Queryable, id: string): Promise<UserOnline> {
  const rows = await select<{ topic: string | null; streams: number; since: number }>(
    client,
    `select topic, streams, ${milliseconds('since')} as since from djr.online
      where user_id operator(pg_catalog.=) $1 order by topic nulls first limit ${MAX_SHOWN + 1}`,
    [id],
  );
  const all = rows.find(({ topic }) => topic === null);
  const topics = rows.flatMap(({ topic }) => (topic === null ? [] : [topic]));
  return { id, streams: all?.streams ?? 0, since: all ? new Date(all.since) : null, topics };
}

export async function readTopicOnline(client: Queryable, name: string): Promise<TopicOnline> {
  const rows = await select<{ id: string; streams: number; users: number; total: number }>(
    client,
    `select user_id as id, streams, (pg_catalog.count(*) over ())::integer as users,
            (pg_catalog.sum(streams) over ())::integer as total
       from djr.online where topic operator(pg_catalog.=) $1 order by user_id limit ${MAX_SHOWN}`,
    [name],
  );
  return {
    name,
    users: rows[0]?.users ?? 0,
    streams: rows[0]?.total ?? 0,
    first: rows.map(({ id, streams }) => ({ id, streams })),
  };
}
