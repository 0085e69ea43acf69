import { createHash, timingSafeEqual } from 'node:crypto';
import { Frontier } from '../../event/frontier.js';

/** A key of `djr.seal_key`, in the two padded forms that HMAC-SHA256 hashes with (RFC 2104). */
export interface SealKey {
  readonly id: string;
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** What `djr.recheck` revoked. */
export interface Revocation {
  readonly xid: number;
  /** null: the permissions of everyone. */
  readonly userId: string | null;
  /** null: permissions for every topic. */
  readonly topic: string | null;
}

/** The content of a seal whose signature has been checked. */
export interface Seal {
  readonly topics: readonly string[];
  /** The user for whom it was made; null: anybody who has it may use it. */
  readonly userId: string | null;
  /** Milliseconds since 1970, by the database's clock. */
  readonly ends: number;
  /** The snapshot of the query that made it. */
  readonly snapshot: Frontier;
}

/** Characters that a seal may have: the address of a stream has no room for more. */
const MAX_LENGTH = 12_000;

/** The id of the key that a seal names; undefined: the text is no seal. */
export const keyOf = (text: string): string | undefined =>
  text.length > MAX_LENGTH ? undefined : /^djr1\.([0-9a-f]{8})\.[\w-]+\.[\w-]{43}$/.exec(text)?.[1];

/** Reads a seal whose form {@link keyOf} has checked. @returns undefined if it was not signed with this key */
export function openSeal(text: string, key: SealKey): Seal | undefined {
  const end = text.lastIndexOf('.');
  const hash = (pad: Buffer, content: Buffer | string) => createHash('sha256').update(pad).update(content).digest();
  const expected = hash(key.outer, hash(key.inner, text.slice(0, end)));
  // The texts are compared and not what they decode to: decoders ignore some bits of the last character, so several texts would pass.
  if (!timingSafeEqual(Buffer.from(expected.toString('base64url')), Buffer.from(text.slice(end + 1)))) return undefined;
  const content = Buffer.from(text.split('.')[2]!, 'base64url').toString();
  const [names, userId, ends, snapshot] = JSON.parse(content) as [string | string[], string | null, number, string];
  const seen = Frontier.fromSnapshot(snapshot, '', 0);
  const topics = typeof names === 'string' ? [names] : names;
  return seen && { topics, userId, ends: ends * 1000, snapshot: seen };
}

/** Whether the permission was revoked by a transaction that the query which made the seal did not see. */
export const isRevoked = (
  seal: Seal,
  topic: string,
  userId: string | null,
  revocations: Iterable<Revocation>,
): boolean => {
  for (const { xid, userId: whose, topic: which } of revocations) {
    const concerned = (whose === null || whose === userId) && (which === null || which === topic);
    if (concerned && seal.snapshot.isNew(xid)) return true;
  }
  return false;
};
