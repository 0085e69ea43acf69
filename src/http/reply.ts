/** A whole answer, before it is known what carries it. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** Values of Set-Cookie. */
  cookies?: string[];
  body: string | Buffer;
}

/** Of every answer that may be one person's: no cache keeps it, and no page of another origin may embed it. */
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

/** RFC 9457. `detail` says what happened and what to do. */
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

/** These are the connection's, and the server's that writes the answer. */
const NOT_COPIED = new Set(['set-cookie', 'content-length', 'transfer-encoding', 'connection', 'keep-alive']);

/** An answer of the app's own. No cache keeps it unless it says so itself. */
export async function fromResponse(response: Response): Promise<Reply> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !NOT_COPIED.has(name)));
  if (!response.headers.has('cache-control')) headers['cache-control'] = PERSONAL_HEADERS['Cache-Control'];
  return {
    status: response.status,
    headers,
    cookies: response.headers.getSetCookie(),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
