import { createHmac } from 'node:crypto';

/** What tokens of the benchmark are signed with. */
export const JWT_SECRET = 'the benchmark signs its tokens with this, and nothing else does';

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEAD = encode({ alg: 'HS256', typ: 'JWT' });

/** A JSON Web Token of this user, for an hour. */
export function tokenOf(user: number): string {
  const text = `${HEAD}.${encode({ sub: String(user), exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${text}.${createHmac('sha256', JWT_SECRET).update(text).digest('base64url')}`;
}
