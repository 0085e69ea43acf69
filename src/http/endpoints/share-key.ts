import { createHash } from 'node:crypto';
import type { Incoming } from '../incoming.js';

const hash = (...values: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 16);

/**
 * The key by which the browser client knows whose stream it has. Tabs share a stream only if their keys are equal, so that no tab gets
 * events of another user. Every instance makes the same key, because a client may reconnect to another instance.
 *
 * @param personal - whether a hook may decide by client. Then even streams of one user may differ, and a second part of the key tells
 * the credentials of the requests apart.
 */
export function shareKey(userId: string | null, incoming: Incoming, token: string | null, personal: boolean): string {
  const user = hash(userId);
  return personal ? `${user}.${hash(incoming.header('cookie'), incoming.header('authorization'), token)}` : user;
}
