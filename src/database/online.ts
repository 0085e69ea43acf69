import type pg from 'pg';

/** A user's open streams, all instances together. */
export interface UserOnline {
  id: string;
  /** 0: not connected. */
  streams: number;
  /** Since when; null: not connected. */
  since: Date | null;
  /** Topics that these streams hear: the first {@link MAX_SHOWN}. */
  topics: string[];
}

/** Who hears a topic. */
export interface TopicOnline {
  name: string;
  users: number;
  streams: number;
  /** The first {@link MAX_SHOWN}, by name. */
  first: { id: string; streams: number }[];
}

/** What was asked for of who is connected. */
export interface Online {
  user: UserOnline | undefined;
  topic: TopicOnline | undefined;
}

const MAX_SHOWN = 50;

export async function readUserOnline(client: pg.ClientBase, id: string): Promise<UserOnline> {
  const { rows } = await client.query<{ topic: string | null; streams: number; since: number }>(
    `select topic, streams, pg_catalog.date_part('epoch', since) as since from djr.online
      where user_id operator(pg_catalog.=) $1 order by topic nulls first limit ${MAX_SHOWN + 1}`,
    [id],
  );
  const all = rows.find(({ topic }) => topic === null);
  const topics = rows.flatMap(({ topic }) => (topic === null ? [] : [topic]));
  return { id, streams: Number(all?.streams ?? 0), since: all ? new Date(Number(all.since) * 1000) : null, topics };
}

export async function readTopicOnline(client: pg.ClientBase, name: string): Promise<TopicOnline> {
  const { rows } = await client.query<{ id: string; streams: number; users: number; total: number }>(
    `select user_id as id, streams, pg_catalog.count(*) over () as users, pg_catalog.sum(streams) over () as total
       from djr.online where topic operator(pg_catalog.=) $1 order by user_id limit ${MAX_SHOWN}`,
    [name],
  );
  return {
    name,
    users: Number(rows[0]?.users ?? 0),
    streams: Number(rows[0]?.total ?? 0),
    first: rows.map(({ id, streams }) => ({ id, streams: Number(streams) })),
  };
}
