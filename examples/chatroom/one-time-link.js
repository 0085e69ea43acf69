// @ts-check
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';

/** @param {string} text */
const digest = (text) => createHash('sha256').update(text).digest();

/**
 * Lets in who opens a link that works once, and keeps them in by a cookie until this process ends. For a demo: an app
 * has a login, and asks that.
 *
 * @param {string} path - of the admin
 */
export function oneTimeLink(path) {
  /** @type {string | undefined} */
  let key = randomBytes(16).toString('base64url');
  const session = randomBytes(32).toString('base64url');

  /** @param {string | null | undefined} given @param {string} right */
  const same = (given, right) => timingSafeEqual(digest(given ?? ''), digest(right));

  return {
    /** What is behind the origin. */
    link: `${path}?key=${key}`,

    /** @param {Request} request */
    authorize(request) {
      if (same(parseCookie(request.headers.get('cookie') ?? '').admin, session)) return true;
      // A look whether the link works (HEAD, or a page that is fetched ahead) does not use it up.
      if (request.method !== 'GET' || /prefetch/.test(request.headers.get('sec-purpose') ?? '')) return false;
      if (!key || !same(new URL(request.url).searchParams.get('key'), key)) return false;
      key = undefined;
      const rules = { httpOnly: true, sameSite: /** @type {const} */ ('strict'), path };
      const cookie = stringifySetCookie({ name: 'admin', value: session, ...rules });
      return new Response(null, { status: 303, headers: { location: path, 'set-cookie': cookie } });
    },
  };
}
