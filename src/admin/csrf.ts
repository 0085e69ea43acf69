import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import { checkOrigin } from '../http/guards/origin.js';
import type { Incoming } from '../http/incoming.js';

const COOKIE = 'djr_admin';

/** The token for a form, and the cookie to which it is bound if the browser has none yet. */
export interface FormToken {
  token: string;
  cookies: string[];
}

/**
 * Makes and checks the tokens of forms. A token is an HMAC of a cookie that only this browser has. Every instance has the same key, as a
 * form may be sent to another instance than the one that made it.
 */
export class Csrf {
  readonly #path: string;
  readonly #secret: () => Promise<string>;

  constructor(path: string, secret: () => Promise<string>) {
    this.#path = path;
    this.#secret = secret;
  }

  async issue(incoming: Incoming): Promise<FormToken> {
    const known = cookieOf(incoming);
    if (known !== undefined) return { token: await this.#sign(known), cookies: [] };
    const value = randomBytes(18).toString('base64url');
    const cookie = stringifySetCookie({
      name: COOKIE,
      value,
      httpOnly: true,
      sameSite: 'strict',
      path: this.#path,
      secure: incoming.secure,
    });
    return { token: await this.#sign(value), cookies: [cookie] };
  }

  /** @returns why a form is refused, or undefined */
  async refusal(incoming: Incoming, token: string | null): Promise<string | undefined> {
    const [origin, host, fetchSite] = ['origin', 'host', 'sec-fetch-site'].map((name) => incoming.header(name));
    const same = checkOrigin({ origin, host, fetchSite });
    if (!same || (fetchSite !== undefined && fetchSite !== 'same-origin')) return 'This form was sent by another site.';
    const known = cookieOf(incoming);
    if (known === undefined || token === null) return 'This form has no token, or your browser keeps no cookies.';
    const [given, right] = [Buffer.from(token), Buffer.from(await this.#sign(known))];
    if (given.length === right.length && timingSafeEqual(given, right)) return undefined;
    return 'This form is no longer valid.';
  }

  async #sign(cookie: string): Promise<string> {
    return createHmac('sha256', `djr admin ${await this.#secret()}`)
      .update(cookie)
      .digest('base64url');
  }
}

function cookieOf(incoming: Incoming): string | undefined {
  const value = parseCookie(incoming.header('cookie') ?? '')[COOKIE];
  return value && /^[\w-]{24}$/.test(value) ? value : undefined;
}
