import { toUserId, type UserId } from '../event/user-id.js';
import { fromPostgres } from '../lib/errors.js';
import type { Queryable } from '../postgres/connect.js';
import { toTopic } from './publisher.js';

async function order(client: Queryable, text: string, values: unknown[]): Promise<void> {
  try {
    await client.query({ text, values });
  } catch (error) {
    throw fromPostgres(error);
  }
}

/** Ends every stream of a user. @throws {@link DjrError} `DJR02`, `DJR03`: a missing user must not be nobody's streams */
export async function disconnect(client: Queryable, userId: UserId, reason?: string): Promise<void> {
  const user = toUserId(userId, 'the user to disconnect');
  await order(client, 'select djr.disconnect($1::pg_catalog.text, $2::pg_catalog.text)', [user, reason ?? null]);
}

/** Has permissions asked for again; null: everyone's, of every topic. */
export async function recheck(client: Queryable, userId?: UserId | null, topic?: string | null): Promise<void> {
  const user = userId === undefined || userId === null ? null : toUserId(userId, 'the user to recheck');
  const name = topic === undefined || topic === null ? null : toTopic(topic);
  await order(client, 'select djr.recheck($1::pg_catalog.text, $2::pg_catalog.text)', [user, name]);
}
