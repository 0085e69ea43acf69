import type pg from 'pg';
import { AS_TEXT } from '../database/rows.js';
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

export function topicStore(pool: () => pg.Pool, timeout: number): TopicStore {
  const ask = async <Row extends unknown[]>(text: string, values: unknown[] = []): Promise<Row> => {
    const { rows } = await pool().query<Row>({
      text,
      values,
      ...AS_TEXT,
      query_timeout: timeout,
    } as pg.QueryArrayConfig);
    return rows[0]!;
  };
  return {
    async permissions() {
      const [text] = await ask<[string]>(PERMISSIONS);
      const read = JSON.parse(text) as {
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
      const [allowed, failure] = await ask<[string, string | null]>(
        'select to_json(allowed)::text, failure from djr.authorize_topics($1::text[], $2::text[])',
        [questions.map(({ userId }) => userId), questions.map(({ topic }) => topic)],
      );
      return { allowed: JSON.parse(allowed) as boolean[], failure };
    },
  };
}
