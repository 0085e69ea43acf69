import { randomUUID } from 'node:crypto';
import type { StreamStart } from '../endpoint.js';
import type { HandedLogin, Incoming } from '../incoming.js';
import { problem } from '../reply.js';
import type { Router } from '../router.js';
import { readText } from './body.js';
import { FetchConnection, HIGH_WATER_MARK } from './fetch-connection.js';

/** What the app knows about a request and a Request does not have. */
export interface FetchContext {
  /** The user who sends the request; `authenticate` is not called then. Null or undefined: an anonymous client. */
  userId?: HandedLogin['userId'];
  /** When that login ends, milliseconds since 1970 or a Date. */
  expires?: HandedLogin['expires'];
  /** The address at the other end of the connection, as the server sees it: a client, or a proxy in `trustProxy`. */
  address?: string | undefined;
}

/**
 * `(Request, { userId, expires, address }?) => Promise<Response>`: for Hono, Next, Bun, Deno and other servers that are built on Fetch.
 * If Bun or Deno calls it directly, the address is read from the server's own second argument.
 */
export type FetchHandler = (request: Request, context?: FetchContext | object) => Promise<Response>;

export function fetchHandler(router: Router): FetchHandler {
  return async (request, context = {}) => {
    const url = new URL(request.url);
    const target = url.pathname + url.search;
    const route = router.route(target);
    if (route === undefined) router.missed(target);
    const answer =
      route === undefined
        ? problem(404, 'There is nothing here.')
        : await router.respond(route, toIncoming(router, request, target, url, context));
    if (!('status' in answer)) return stream(request, answer, context);
    const bare = request.method === 'HEAD' || [204, 205, 304].includes(answer.status);
    const body = bare ? null : new Uint8Array(Buffer.from(answer.body));
    const headers = new Headers(answer.headers);
    for (const cookie of answer.cookies ?? []) headers.append('Set-Cookie', cookie);
    return new Response(body, { status: answer.status, headers });
  };
}

/** The second argument that Bun and Deno pass to a function that serves requests. */
interface ServerContext {
  address?: unknown;
  requestIP?(request: Request): { address: string } | null;
  timeout?(request: Request, seconds: number): void;
  remoteAddr?: { hostname?: unknown };
}

/** The address at the other end. Bun's server has a property `address` as well, but that is its own, and no text. */
function peerOf(request: Request, context: ServerContext | undefined): string | undefined {
  const own = context?.address ?? context?.remoteAddr?.hostname;
  if (typeof own === 'string') return own;
  return typeof context?.requestIP === 'function' ? context.requestIP(request)?.address : undefined;
}

function toIncoming(router: Router, request: Request, target: string, url: URL, context: object): Incoming {
  const header = (name: string) => request.headers.get(name) ?? (name === 'host' ? url.host : undefined);
  const none = {};
  // Without an address the sender of the headers is unknown; it must not be taken for the peer of a Unix socket.
  const isSecure = () => {
    const peer = peerOf(request, context);
    return (peer === undefined ? undefined : router.senders.isSecure(peer, header)) ?? url.protocol === 'https:';
  };
  // The app's functions get a request with the client's scheme. Its body is left out, as djr reads it from the original request.
  const seen = () => {
    if (url.protocol === 'https:' || !isSecure()) return request;
    return new Request(request.url.replace(/^http:/, 'https:'), { method: request.method, headers: request.headers });
  };
  return {
    method: request.method,
    target,
    context: none,
    login: context && Object.hasOwn(context, 'userId') ? loginOf(context) : undefined,
    header,
    request: seen,
    get address() {
      const peer = peerOf(request, context);
      const asked = { peer, header: peer === undefined ? () => undefined : header, request: seen };
      return router.senders.address({ ...asked, context: none });
    },
    get secure() {
      return isSecure();
    },
    async body(limit) {
      if (request.bodyUsed) return 'taken';
      return request.body ? readText(request.body as AsyncIterable<Uint8Array>, limit) : { text: '' };
    },
  };
}

function stream(request: Request, start: StreamStart, context: ServerContext): Response {
  if (request.signal?.aborted) {
    start.gone();
    // Nobody reads this answer. 499 is the status that proxies log for a client that has gone.
    return new Response(null, { status: 499 });
  }
  // Bun ends a connection that is quiet for ten seconds.
  if (typeof context?.requestIP === 'function') context.timeout?.(request, 0);
  let connection: FetchConnection;
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        connection = new FetchConnection(controller);
        start.begin(connection);
        connection.onGone = () => start.gone();
      },
      pull: () => connection.pulled(),
      cancel: () => connection.cancelled(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }),
  );
  request.signal?.addEventListener('abort', () => connection.aborted(), { once: true });
  const headers = { ...start.headers, ETag: nextTag(), ...(overHttp1(request) && { Connection: 'close' }) };
  return new Response(body, { headers });
}

/**
 * Whether the stream has its connection to itself, which is then to end with it: a server that stops would wait until a connection has
 * been quiet for long enough, and a client would reconnect over it to the server that stops. A server that speaks HTTP/2, which has no
 * such header, has TLS of its own, so no proxy before it says that the client came by https.
 */
const overHttp1 = ({ headers, url }: Request): boolean => url.startsWith('http:') || headers.has('x-forwarded-proto');

/** A middleware that adds tags (Hono's etag) would first read a body without a tag to its end. No cache stores a stream, so no request uses this one. */
const nextTag = (): string => `W/"${randomUUID()}"`;

const loginOf = ({ userId, expires }: FetchContext): HandedLogin => ({ userId, expires });
