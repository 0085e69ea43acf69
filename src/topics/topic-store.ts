import type pg from 'pg';
import { AS_TEXT } from '../database/rows.js';
import type { PresenceStore } from './presence.js';
import type { Revocation, SealKey } from './seal.js';

/** What the database says of topics: keys, revocations, the app's own function. */
export interface TopicStore {
  /** The keys that are valid now, and all revocations that a valid seal may be older than. */
  permissions(): Promise<{ keys: SealKey[]; revocations: Revocation[] }>;
  /** Asks the function of the setting `authorize_topic`. @returns for each question whether it is a yes, and why one failed */
  authorize(questions: readonly Question[]): Promise<{ allowed: boolean[]; failure: string | null }>;
}

/** May this user (null: an anonymous client) hear this topic? */
export interface Question {
  readonly userId: string | null;
  readonly topic: string;
}

const PERMISSIONS = `
  select json_build_object(
    'keys', (select json_agg(json_build_array(key.id, encode(key.inner_key, 'hex'), encode(key.outer_key, 'hex')))
             from djr.seal_key key),
    'revocations', (select json_agg(json_build_array(taken.xid::text, taken.user_id, taken.topic))
                    from djr.revocation taken
                    where taken.created_at >= clock_timestamp() - (select max(key.longest) from djr.seal_key key))
  )::text`;

/** Milliseconds that a statement about presence may take. */
const ANSWER_TIMEOUT = 10_000;

/** Rows of one statement, as texts. */
async function ask<Row extends unknown[]>(
  pool: pg.Pool,
  timeout: number,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const config = { text, values, ...AS_TEXT, query_timeout: timeout } as pg.QueryArrayConfig;
  return (await pool.query<Row>(config)).rows;
}

/** What presence is kept in. @param instance - whose counts these are */
export function presenceStore(pool: () => pg.Pool, instance: string): PresenceStore {
  return {
    async report(counts, afresh) {
      await ask(
        pool(),
        ANSWER_TIMEOUT,
        'select djr.report_presence($1::text, $2::text[], $3::text[], $4::integer[], $5::boolean)',
        [
          instance,
          counts.map(({ topic }) => topic),
          counts.map(({ userId }) => userId),
          counts.map(({ streams }) => streams),
          afresh,
        ],
      );
    },
    async usersOf(topics) {
      const rows = await ask<[string, string]>(
        pool(),
        ANSWER_TIMEOUT,
        'select topic, pg_catalog.to_json(user_ids)::pg_catalog.text from djr.presence_of($1::text[])',
        [topics],
      );
      return new Map(rows.map(([topic, users]) => [topic, JSON.parse(users) as string[]]));
    },
  };
}

export function topicStore(pool: () => pg.Pool, timeout: number): TopicStore {
  return {
    async permissions() {
      const [row] = await ask<[string]>(pool(), timeout, PERMISSIONS);
      const read = JSON.parse(row![0]) as {
        keys: [string, string, string][] | null;
        revocations: [string, string | null, string | null][] | null;
      };
      return {
        keys: (read.keys ?? []).map(([id, inner, outer]) => ({
          id,
          inner: Buffer.from(inner, 'hex'),
          outer: Buffer.from(outer, 'hex'),
        })),
        revocations: (read.revocations ?? []).map(([xid, userId, topic]) => ({ xid: Number(xid), userId, topic })),
      };
    },
    async authorize(questions) {
      const [row] = await ask<[string, string | null]>(
        pool(),
        timeout,
        'select to_json(allowed)::text, failure from djr.authorize_topics($1::text[], $2::text[])',
        [questions.map(({ userId }) => userId), questions.map(({ topic }) => topic)],
      );
      return { allowed: JSON.parse(row![0]) as boolean[], failure: row![1] };
    },
  };
}
