import { within } from '../lib/deadline.js';

/** A complete answer, which the adapter sends. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** Values of Set-Cookie. */
  cookies?: string[];
  body: string | Buffer;
}

/** Headers of every answer that may concern one person: no cache stores it, and no page of another origin may embed it. */
export const PERSONAL_HEADERS = {
  'Cache-Control': 'private, no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const TITLES: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Content too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available',
};

/** An error as RFC 9457 has it. @param detail - what happened, and what to do */
export function problem(status: number, detail: string, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...PERSONAL_HEADERS,
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify({ type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail }),
  };
}

/** Headers that are not copied: the server that writes the answer sets them. */
const NOT_COPIED = new Set(['set-cookie', 'content-length', 'transfer-encoding', 'connection', 'keep-alive']);

/**
 * Turns a Response of the app into a reply. Unless it has a `Cache-Control` of its own, no cache stores it.
 *
 * @param timeout - milliseconds that its body may take: the app may pass on a Response that it has from another server
 */
export async function fromResponse(response: Response, timeout: number): Promise<Reply> {
  if (response.type === 'error') return problem(500, 'The app answered with Response.error(), which has no status.');
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !NOT_COPIED.has(name)));
  // What fetch has brought is decoded already.
  if (response.url !== '') delete headers['content-encoding'];
  if (!response.headers.has('cache-control')) headers['cache-control'] = PERSONAL_HEADERS['Cache-Control'];
  return {
    status: response.status,
    headers,
    cookies: response.headers.getSetCookie(),
    body: await bodyOf(response, timeout),
  };
}

/** The body of a Response; empty if the app has read it already, or it does not come: the status then says enough. */
async function bodyOf(response: Response, timeout: number): Promise<Buffer> {
  try {
    // A copy is read, as an app may keep one Response for all its refusals.
    return Buffer.from(await within(timeout, response.clone().arrayBuffer()));
  } catch {
    return Buffer.alloc(0);
  }
}
