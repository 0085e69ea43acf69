import type { Audience } from '../event/audience.js';

/** What a manifest has for an order, which is for every edge, and for what is no event. */
export const ORDER_HASH = 0;
export const NOTHING_HASH = 1;

/**
 * 32 bits of an audience (FNV-1a), none of the two above. Two audiences with the same hash cost an edge a reading that it would not have
 * needed; the message itself says for whom it is.
 */
export function hashAudience(audience: Audience): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < audience.length; i += 1) {
    hash = Math.imul(hash ^ audience.charCodeAt(i), 0x01000193);
  }
  return Math.max(2, hash >>> 0);
}
