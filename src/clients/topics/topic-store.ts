import { ask } from '../../postgres/ask.js';
import type { Pool } from '../../postgres/connect.js';
import type { PresenceStore } from './presence.js';
import type { Revocation, SealKey } from './seal.js';

/** Reads from the database what decides about topics: keys, revocations and answers of the app's function. */
export interface TopicStore {
  /** The keys that are valid now, and all revocations that may concern a seal which is still valid. */
  permissions(): Promise<{ keys: SealKey[]; revocations: Revocation[] }>;
  /** Asks the function of the setting `authorize_topic`. @param milliseconds - how long all of it may take */
  authorize(questions: readonly Question[], milliseconds: number): Promise<Answers>;
}

/** The answers, in the order of the questions, and the message of the last question that failed; null: none did. */
export interface Answers {
  readonly allowed: readonly boolean[];
  readonly failure: string | null;
}

/** The question whether a user (null: an anonymous client) may hear a topic. */
export interface Question {
  readonly userId: string | null;
  readonly topic: string;
}

const PERMISSIONS = `
  select pg_catalog.json_build_object(
    'keys', (select pg_catalog.json_agg(pg_catalog.json_build_array(
                      key.id, pg_catalog.encode(key.inner_key, 'hex'), pg_catalog.encode(key.outer_key, 'hex')))
             from djr.seal_key key),
    'revocations', (select pg_catalog.json_agg(pg_catalog.json_build_array(taken.xid::pg_catalog.text, taken.user_id, taken.topic))
                    from djr.revocation taken
                    where taken.created_at operator(pg_catalog.>=) (pg_catalog.clock_timestamp() operator(pg_catalog.-)
                          pg_catalog.make_interval(secs => coalesce(
                            pg_catalog.pg_sequence_last_value('djr.seal_longest'), 3600))))
  ) as permissions`;

/** Milliseconds that a statement about presence may take. */
const ANSWER_TIMEOUT = 10_000;

/** Reads and writes presence in the database. @param instance - the instance whose counts these are */
export function presenceStore(pool: () => Pool, instance: string): PresenceStore {
  return {
    async report(counts, afresh) {
      const query = {
        text: 'select djr.report_presence($1::pg_catalog.text, $2::pg_catalog.text[], $3::pg_catalog.text[], $4::integer[], $5::boolean)',
        values: [
          instance,
          counts.map(({ topic }) => topic),
          counts.map(({ userId }) => userId),
          counts.map(({ streams }) => streams),
          afresh,
        ],
      };
      await ask(pool(), query, ANSWER_TIMEOUT);
    },
    async usersOf(topics) {
      const query = {
        text: 'select topic, pg_catalog.to_json(user_ids) as users from djr.presence_of($1::pg_catalog.text[])',
        values: [topics],
      };
      const { rows } = await ask<{ topic: string; users: string[] }>(pool(), query, ANSWER_TIMEOUT);
      return new Map(rows.map(({ topic, users }) => [topic, users]));
    },
  };
}

/** @param timeout - milliseconds that reading the permissions may take */
export function topicStore(pool: () => Pool, timeout: number): TopicStore {
  return {
    async permissions() {
      const { rows } = await ask<{ permissions: Permissions }>(pool(), { text: PERMISSIONS }, timeout);
      const { keys, revocations } = rows[0]!.permissions;
      return {
        keys: (keys ?? []).map(([id, inner, outer]) => ({
          id,
          inner: Buffer.from(inner, 'hex'),
          outer: Buffer.from(outer, 'hex'),
        })),
        revocations: (revocations ?? []).map(([xid, userId, topic]) => ({ xid: Number(xid), userId, topic })),
      };
    },
    async authorize(questions, milliseconds) {
      const query = {
        text: 'select pg_catalog.to_json(allowed) as allowed, failure from djr.authorize_topics($1::pg_catalog.text[], $2::pg_catalog.text[])',
        values: [questions.map(({ userId }) => userId), questions.map(({ topic }) => topic)],
      };
      const { rows } = await ask<{ allowed: boolean[]; failure: string | null }>(pool(), query, milliseconds);
      return rows[0]!;
    },
  };
}

interface Permissions {
  keys: [id: string, inner: string, outer: string][] | null;
  revocations: [xid: string, userId: string | null, topic: string | null][] | null;
}
