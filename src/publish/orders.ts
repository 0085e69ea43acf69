import { toUserId, type UserId } from '../event/user-id.js';
import { toTopic } from './publisher.js';
import { run, type SqlClient } from './sql-client.js';

/** Ends every stream of a user. @throws {@link DjrError} `DJR02` or `DJR03` if the value names no user */
export async function disconnect(client: SqlClient, userId: UserId, reason?: string): Promise<void> {
  const user = toUserId(userId, 'the user to disconnect');
  // The result is cast to a text, because Prisma cannot read a void.
  await run(client, 'select djr.disconnect($1::pg_catalog.text, $2::pg_catalog.text)::pg_catalog.text', [
    user,
    reason ?? null,
  ]);
}

/** Has all instances check permissions again. A userId of null means every user, a topic of null every topic. */
export async function recheck(client: SqlClient, userId?: UserId | null, topic?: string | null): Promise<void> {
  const user = userId === undefined || userId === null ? null : toUserId(userId, 'the user to recheck');
  const name = topic === undefined || topic === null ? null : toTopic(topic);
  await run(client, 'select djr.recheck($1::pg_catalog.text, $2::pg_catalog.text)::pg_catalog.text', [user, name]);
}
