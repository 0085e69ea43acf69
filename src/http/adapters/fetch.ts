import { randomUUID } from 'node:crypto';
import type { StreamStart } from '../endpoint.js';
import type { HandedLogin, Incoming } from '../incoming.js';
import { problem } from '../reply.js';
import type { Router } from '../router.js';
import { readText } from './body.js';
import { FetchConnection, HIGH_WATER_MARK } from './fetch-connection.js';

/** What the app knows of a request, which a Request does not say. */
export interface FetchContext {
  /** Whose request it is; `authenticate` is not asked then. Null or undefined: an anonymous client. */
  userId?: HandedLogin['userId'];
  /** When that login ends, milliseconds since 1970 or a Date. */
  expires?: HandedLogin['expires'];
  /** The address of whoever holds the connection, as the server sees it: a client, or a proxy of `trustProxy`. */
  address?: string | undefined;
}

/**
 * `(Request, { userId, expires, address }?) => Promise<Response>`: for Hono, Next, Bun, Deno and whatever else is built on Fetch. Where a
 * server calls it itself, its own second argument is as good: Bun's and Deno's say the address.
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
    const body =
      request.method === 'HEAD' || [204, 304].includes(answer.status) ? null : new Uint8Array(Buffer.from(answer.body));
    const headers = new Headers(answer.headers);
    for (const cookie of answer.cookies ?? []) headers.append('Set-Cookie', cookie);
    return new Response(body, { status: answer.status, headers });
  };
}

/** What Bun and Deno hand to a function that serves. */
interface ServerContext {
  address?: unknown;
  requestIP?(request: Request): { address: string } | null;
  timeout?(request: Request, seconds: number): void;
  remoteAddr?: { hostname?: unknown };
}

/** Bun's server has an `address` too, its own, which is no text. */
function peerOf(request: Request, context: ServerContext | undefined): string | undefined {
  const own = context?.address ?? context?.remoteAddr?.hostname;
  if (typeof own === 'string') return own;
  return typeof context?.requestIP === 'function' ? context.requestIP(request)?.address : undefined;
}

function toIncoming(router: Router, request: Request, target: string, url: URL, context: object): Incoming {
  const header = (name: string) => request.headers.get(name) ?? (name === 'host' ? url.host : undefined);
  const none = {};
  // Without an address nobody knows who sent the headers, so not even a Unix socket's peer is assumed.
  const isSecure = () => {
    const peer = peerOf(request, context);
    return (peer === undefined ? undefined : router.senders.isSecure(peer, header)) ?? url.protocol === 'https:';
  };
  // The app's functions see the client's scheme. (The body is ours to read, from the request itself.)
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
    // Nobody reads it; the number is what proxies log for a client that has gone.
    return new Response(null, { status: 499 });
  }
  // Bun ends what is quiet for ten seconds.
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
  return new Response(body, { headers: { ...start.headers, ETag: nextTag() } });
}

/** A middleware that makes tags of what has none (Hono's etag) reads a body to its end first. No cache keeps a stream, so nobody asks by it. */
const nextTag = (): string => `W/"${randomUUID()}"`;

const loginOf = ({ userId, expires }: FetchContext): HandedLogin => ({ userId, expires });
