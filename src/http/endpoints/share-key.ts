import { createHash } from 'node:crypto';
import type { Incoming } from '../incoming.js';

const hash = (...values: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 16);

/**
 * Tells the browser client whose stream it has: tabs share a stream only where this is equal, so that no tab
 * hears what was sent to somebody else. The same on every instance, as a stream that comes back may meet another.
 *
 * @param personal - whether a hook decides by client: then one user's requests may differ as well, and the second
 *   part tells their credentials apart.
 */
export function shareKey(userId: string | null, incoming: Incoming, token: string | null, personal: boolean): string {
  const user = hash(userId);
  return personal ? `${user}.${hash(incoming.header('cookie'), incoming.header('authorization'), token)}` : user;
}
